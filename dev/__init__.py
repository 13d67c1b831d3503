"""The local stack: imitates the platform around the app. Never deployed."""
