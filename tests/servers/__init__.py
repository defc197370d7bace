"""Real servers of Git repositories, for tests."""
