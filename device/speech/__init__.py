"""Ears and voice: wake word, voice activity, endpoint, speech-to-text, text-to-speech.

`ports` holds the protocols and capabilities; every engine passes the same contract tests.
"""
