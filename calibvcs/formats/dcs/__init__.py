"""HDF5 files in the schema of the Detector Calibration Store."""
