"""The factory's commands, one module each; `homebody` finds them through the entry points `homebody.commands`.

Heavy libraries are imported when a command runs, never when the command line is built.
"""
