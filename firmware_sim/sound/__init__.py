"""What sounds: the microphone and loudspeaker of a simulated board, the room around them, who speaks in it.

`engines` is a language of tones, with which the whole edge loop is tried in milliseconds.
"""
