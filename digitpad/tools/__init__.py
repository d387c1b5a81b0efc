"""Tools for those who build digitpad."""
