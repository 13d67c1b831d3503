"""Make the machine ready: packages, Node, Azurite. Standard library alone."""
