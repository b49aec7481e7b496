"""Wake words from a typed phrase: synthetic voices say it, a small network learns it, real voices judge it."""
