"""What goes on inside a network: the numbers between its layers, how each comes about, and what edits of it do.

Everything here is of the very network that reads. Nothing is computed a second way for show, but where a number is
written out term by term; tests hold that against the network's own.
"""
