"""Other repositories: how they are reached, what they have, and what goes there and comes from there."""
