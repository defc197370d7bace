"""Git's objects as bytes and files: encoded, deflated, loose, and the databases that find them wherever they are."""
