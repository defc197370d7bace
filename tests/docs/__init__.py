"""What the pages in docs/ and the README say: links lead somewhere, commands do what is shown."""
