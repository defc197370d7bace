"""Whether a push may come in: refs, commits, content, states and signatures held against the rules."""
