"""From ink to a prediction, and why."""
