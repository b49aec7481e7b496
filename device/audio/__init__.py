"""Sound in and out: 16 kHz mono int16 inside, whatever the card or file speaks outside.

`ports` holds the protocols; files, sounddevice and the simulator implement them; `mixer` owns the speaker.
"""
