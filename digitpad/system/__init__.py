"""Operating-system support: BLAS threads, atomic file writes and user folders."""
