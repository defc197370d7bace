"""What psana reads and writes: documents, pickles, and the index of shared memory."""
