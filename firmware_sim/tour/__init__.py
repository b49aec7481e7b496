"""`homebody demo`: a spoken tour of a simulated living room.

Scenes, what they look like in the terminal, and the recording that is left of them.
"""
