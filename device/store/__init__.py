"""What the device remembers: one SQLite file in WAL mode and a small repository for each thing kept.

Everything that was confirmed aloud is committed before the reply; what is kept about people has a retention.
"""
