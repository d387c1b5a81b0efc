"""The help window, the cards that explain terms, and their pictures."""
