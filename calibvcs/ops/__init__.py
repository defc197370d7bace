"""One verb a module: it gets its store as an argument and returns a frozen result."""
