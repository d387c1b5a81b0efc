"""Download of published datasets."""
