"""Safe readers for array formats that weights and datasets share."""
