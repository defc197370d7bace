"""Signatures of commits and tags, made and checked as Git does."""
