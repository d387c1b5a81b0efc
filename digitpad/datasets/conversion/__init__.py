"""Conversion of what files hold to 28 × 28 images and labels."""
