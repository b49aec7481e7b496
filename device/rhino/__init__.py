"""Contexts of Picovoice's Rhino as skill packs: a grammar that somebody has written need not be written anew."""
