"""What data were made from and used by: the chain of inputs, a command once more, lock files."""
