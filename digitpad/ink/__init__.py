"""Ink: what a hand drew, as strokes or as pixels, and how it becomes the 28 × 28 that a network reads."""
