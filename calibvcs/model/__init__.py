"""Values and rules: no file, no repository, no network is touched here."""
