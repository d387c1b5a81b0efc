"""How good weights are: every figure that `digitpad evaluate` and the window show, computed once for both."""
