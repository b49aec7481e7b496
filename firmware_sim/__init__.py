"""The gadget that isn't there: implements the device's ports so that what ships runs unchanged inside.

Virtual clock, simulated microphone and speaker, house and television; the device never knows.
"""
