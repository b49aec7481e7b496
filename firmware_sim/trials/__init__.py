"""Speech on trial: recorded commands through the whole chain, and what the recogniser confuses.

The commands `homebody evaluate speech` and `homebody data confusions`.
"""
