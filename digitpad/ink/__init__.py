"""Ink: drawings as strokes or as pixels, and their conversion to the 28 × 28 network input."""
