"""Division of ink into digits: parts of ink, hypotheses, their scores, and the search for the best reading."""
