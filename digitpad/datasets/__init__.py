"""Data sets of labelled digits: parsed, checked, split, and handed out in batches."""
