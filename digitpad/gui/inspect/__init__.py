"""The Inside tab: all numbers of a network as it reads a drawing, and the effect of edits on its accuracy."""
