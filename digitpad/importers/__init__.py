"""Other people's weights: files read without trusting them, and understood without being told how they are meant."""
