"""The recognizer's ears, taught to hear in noise what they hear without it."""
