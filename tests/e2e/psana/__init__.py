"""The unmodified psana as the judge of the pickles that are exported for it."""
