"""The worktree and the index of a clone."""
