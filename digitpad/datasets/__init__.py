"""Datasets of labelled images: reading, validation, splitting, augmentation and batches."""
