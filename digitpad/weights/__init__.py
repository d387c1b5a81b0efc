"""Weights as files: read without trusting them, written without losing what was there."""
