"""Start the parts of the local stack, watch them, and stop them."""
