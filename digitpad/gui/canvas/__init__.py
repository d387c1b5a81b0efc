"""Drawing pad, network input and probability bars, shared by several tabs."""
