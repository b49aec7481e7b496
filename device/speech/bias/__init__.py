"""What can be said, for the ears: packs as an automaton over words, over spellings, over a recognizer's tokens.

`sentences` knows words, `spelling` how they may be written, `tokens` what a vocabulary makes of that, `beam` searches.
"""
