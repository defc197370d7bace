"""Out to other stores and programs, and in from them: calib directories, psana, plain files."""
