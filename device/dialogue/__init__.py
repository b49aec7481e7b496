"""The conversation: what was meant, what is still missing, what to say.

`policy` is pure (state and interpretation in, state and action out); `conversation` runs skills around it.
"""
