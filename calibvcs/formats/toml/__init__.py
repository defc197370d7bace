"""The repository's TOML files, one module a file, and how TOML is read and written."""
