"""The Inside tab: the network as it reads the pad's digit, every number of it, and what edits of it do."""
