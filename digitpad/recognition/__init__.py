"""Recognition of ink, and explanations of predictions."""
