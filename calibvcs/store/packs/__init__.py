"""Packs: read, written, taken in while they come, and their indexes."""
