"""Merging two histories of constants on their trees, and showing what both changed."""
