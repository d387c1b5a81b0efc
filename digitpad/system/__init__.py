"""The machine: BLAS threads, atomic writes, user folders."""
