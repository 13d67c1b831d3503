"""What the gateway does. Services know the domain and the ports, nothing else."""
