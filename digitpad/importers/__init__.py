"""Import of weights from other programs: read untrusted files and infer the settings that they do not state."""
