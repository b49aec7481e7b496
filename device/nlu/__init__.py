"""Understanding: text in, interpretations with their reasons out.

Packs give a grammar (exact and by sound), the int8 model generalises, `resolve` turns words into values.
"""
