"""Arrays as pictures, numpy only: fewer pixels, limits of a colour scale, colours, and PNG for small ones."""
