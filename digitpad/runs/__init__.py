"""Runs: training that survives a crash."""
