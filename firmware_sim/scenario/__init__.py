"""Scenarios: what people say to a gadget and what happens to it, written down, played, and held against what it did.

`model` is the language, `load` reads files of it, `play` plays one, `expect` judges, `run` plays many.
"""
