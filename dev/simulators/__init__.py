"""Small, honest stand-ins for the services that the gateway talks to."""
