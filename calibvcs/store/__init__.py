"""Git underneath: objects, trees, refs, worktrees. The only package that knows dulwich."""
