"""The legacy calib directory: names, histories, run tables."""
