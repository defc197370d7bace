"""Files of the Detector Calibration Store: out, in, compared, and written as DCStore does."""
