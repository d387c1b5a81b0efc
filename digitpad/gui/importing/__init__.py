"""Opening other people's networks."""
