"""The home around the gadget: a furnished flat, a television on its CEC bus, a player, and the network to them.

They belong to the world, not to the device: a power cut of the device changes nothing in them.
"""
