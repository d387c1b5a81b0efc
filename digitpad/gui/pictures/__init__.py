"""Opened pictures: what was taken as ink, how it was read, and the part that is used."""
