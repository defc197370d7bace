"""Versions in numbers: statistics, trends, who changed what, where a metric turns."""
