"""Why a model decided as it did, what it gets wrong, and which pack's sentences would help."""
