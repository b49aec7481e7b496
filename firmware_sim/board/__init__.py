"""The hardware that isn't there: processor, flash, lights and switches of a board, named by a profile.

A profile is one TOML file (`profiles/`); a board of one's own is another one.
"""
