"""Training and test sentences: corpora of real people, pack samples and dialogue answers.

All become `Example`: words of `device.nlu.text`, intent, slot spans, dialogue act, context and source.
"""
