"""Reports of evaluations and runs: each is one HTML file that needs no other."""
