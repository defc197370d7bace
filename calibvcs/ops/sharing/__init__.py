"""Verbs between clones: what is brought, what is held, what goes where it came from."""
