"""Inspection of a network: activations, the arithmetic behind each of them, and the effects of weight edits.

All numbers come from the same network that makes the predictions. Only the term-by-term arithmetic is computed
separately, and tests compare it with the network's own results.
"""
