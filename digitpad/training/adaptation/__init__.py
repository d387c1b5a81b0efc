"""Adaptation of a network to own digits."""
