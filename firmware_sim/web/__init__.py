"""A page for one simulated gadget: it speaks and hears through a browser, in real time, in a flat that is drawn there.

`server` serves it, `live` is the device with its plug, `ports` are its ears, mouth and light.
"""
