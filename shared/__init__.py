"""The gateway's domain, its services, and what connects them to Azure."""

__version__ = "0.1.0"
