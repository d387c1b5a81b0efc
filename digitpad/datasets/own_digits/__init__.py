"""My digits: labelled drawings of the user, kept in the user's folder, exported, imported, and read as a dataset."""
