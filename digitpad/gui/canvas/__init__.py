"""The pad and what shows its reading, shared by several tabs."""
