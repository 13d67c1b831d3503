"""How the ports are kept: Key Vault, Table Storage, HTTP, the machine itself."""
