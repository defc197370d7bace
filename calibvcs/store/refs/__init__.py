"""Refs: read, moved by compare-and-set, and the revisions that people name."""
