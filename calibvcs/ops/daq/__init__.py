"""The constants of a run in shared memory: which they are, how they are written, whether they are still right."""
