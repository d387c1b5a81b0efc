"""Generated digits and non-digits."""
