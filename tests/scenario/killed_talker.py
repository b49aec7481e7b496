"""The process that `test_kill` kills: takes scripted turns and says so after each; not a test itself.

Usage: killed_talker.py HOME. The turns are the lines of standard input.
"""

import asyncio
import json
import sys
from pathlib import Path

from device.app import build_brain
from device.clock import SystemClock
from device.config import Config
from device.workers import ThreadWorkers


async def talk(home: Path, lines: list[str]) -> None:
    brain = build_brain(Config(), home, SystemClock("UTC"), ThreadWorkers())
    for number, line in enumerate(lines):
        turn = await brain.conversation.turn(line)
        done = [f"{change.skill}.{change.action}" for change in turn.changes]
        print("confirmed", number, json.dumps({"done": done, "reply": turn.reply}), flush=True)


asyncio.run(talk(Path(sys.argv[1]), sys.stdin.read().splitlines()))
