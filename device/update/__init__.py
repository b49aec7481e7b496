"""Updates: of the whole system through RAUC, into the slot that does not run; and of the language model alone."""
