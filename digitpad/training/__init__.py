"""Training: a recipe says how, a loop does it and tells how it goes."""
