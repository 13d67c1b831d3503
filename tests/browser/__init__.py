"""The control panel in Chromium. A package, so that its browser and stack end with its tests."""
