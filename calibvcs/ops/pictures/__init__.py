"""What pictures and pages show of a constant, before anything is drawn."""
