"""One module a format: bytes on one side, values of the model on the other. A new file format goes here."""
