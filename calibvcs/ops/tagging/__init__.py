"""Tags, their states, and signatures."""
