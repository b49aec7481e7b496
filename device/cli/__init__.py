"""`homebody`: the command line.

One module a command; `main` wires them and turns errors into messages and exit codes (0 done, 1 failed, 2 wrong
use or bad input, 3 something is missing on this machine).
"""

from device.cli.main import main

__all__ = ["main"]
