"""Draw tab."""
