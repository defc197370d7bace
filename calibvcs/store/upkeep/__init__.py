"""Keeping a repository well: packing, removing what nobody needs, finding and mending damage."""
