"""Keeping a repository: cleaning up, mending, handing over."""
