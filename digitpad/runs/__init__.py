"""Training runs that survive a crash: folder, log, checkpoints, registry and comparison."""
