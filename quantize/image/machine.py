"""A device in QEMU: full system emulation of a disk image, with its serial console and a shell for trials.

The disk is the image itself under a copy-on-write layer, so that what a device does to it lasts from start to start and
the image stays as it was.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pexpect
from pexpect import fdpexpect

from device.errors import DeviceError
from quantize.image.board import Board
from quantize.image.disk import MIB
from quantize.image.emulated import emulation
from quantize.image.tools import run

_PROMPT: Final = "trial# "


class TrialFailed(DeviceError):
    """A device did not do what it should have."""


class Machine:
    """A device that can be switched on and off.

    Args:
        board: Which one.
        disk: Its disk image, a copy that may be changed.
        folder: For its state and `console.log`, all that its console said.
        stick: Folder whose files are on a stick that is plugged in.
    """

    def __init__(self, board: Board, disk: Path, folder: Path, stick: Path) -> None:
        self.board = board
        self.folder = folder
        self.console_log = folder / "console.log"
        self._disk = folder / "disk.qcow2"
        self._log = folder / "qemu.log"
        self._shell: Any = None
        self._console: Any = None
        self._process: subprocess.Popen[bytes] | None = None
        size = sum(file.stat().st_size for file in stick.iterdir()) // MIB + 32
        image = folder / "stick.img"
        run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", stick, image, f"{size}M"], self._log)
        self.emulation = emulation(board, disk, image, folder, self._log)
        run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", disk.resolve(), self._disk, "4G"], self._log)

    @contextmanager
    def running(self) -> Iterator[Machine]:
        """Switched on; at the end the power is cut, unless it has gone off by itself."""
        self.start()
        try:
            yield self
        finally:
            self.cut()

    def start(self) -> None:
        """Switch it on."""
        os.sync()  # a gigabyte that was just written would reach the disk while it starts, and be taken for its time
        shell = self.folder / "shell"
        shell.unlink(missing_ok=True)
        command = [
            *(f"qemu-system-{self.board.machine}", "-accel", "tcg", "-m", "1024"),
            *("-display", "none", "-no-reboot", "-nic", "none", "-monitor", "none"),
            *self.emulation.arguments(self._disk, self.console_log, shell),
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        # Read through a file: a device stands still while nobody takes what its console says.
        self.console_log.touch()
        follow = ["-c", f"+{self.console_log.stat().st_size + 1}", "-f", os.fspath(self.console_log)]
        self._console = pexpect.spawn("tail", follow, encoding="utf-8", codec_errors="replace", timeout=None)
        self._shell = None

    def sees(self, pattern: str, seconds: float) -> str:
        """Wait for something on the console.

        Returns:
            What matched.

        Raises:
            TrialFailed: It did not come, or the device went off.
        """
        return self._expect(self._console, pattern, seconds, "console")

    def shell(self, command: str, seconds: float = 60.0) -> str:
        """Run a command as root.

        Returns:
            What it said.

        Raises:
            TrialFailed: It failed, or took longer.
        """
        if self._shell is None:
            self._open_shell()
        self._shell.sendline(f'({command}) 2>&1; echo "=$?="')
        self._expect(self._shell, r"=(\d+)=\r?\n", seconds, "shell")
        said = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", str(self._shell.before)).strip()
        status = int(self._shell.match.group(1))
        self._expect(self._shell, re.escape(_PROMPT), 30, "shell")
        if status:
            raise TrialFailed(f"`{command}` ended with {status}: {said[-600:]}")
        return said

    def off(self, seconds: float) -> None:
        """Wait until it goes off, or would start again.

        Raises:
            TrialFailed: It does not.
        """
        self._close_shell()  # its line is the console's on some boards, and who doesn't read it holds the device up
        try:
            if self._process:
                self._process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise TrialFailed(
                f"It did not go off within {seconds:.0f} s.", remedy=f"See {self.console_log}."
            ) from error
        self._close()

    def cut(self) -> None:
        """Cut its power."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self._close()

    def let_in(self) -> None:
        """While it is off: give its systems a shell and a sound card that plays into itself. Who holds a card may."""
        with self._boot_partition() as (image, offset):
            at = f"{image}@@{offset}"
            for folder in self.emulation.entries:
                listed = subprocess.run(["mdir", "-b", "-i", at, f"::{folder}"], capture_output=True, text=True)
                for name in re.findall(r"\S+\.conf", listed.stdout):
                    self._let_in(at, name)

    def _let_in(self, at: str, name: str) -> None:
        entry = self.folder / "entry"
        run(["mcopy", "-n", "-o", "-i", at, name, entry], self._log)
        text = entry.read_text(encoding="utf-8")
        shell = f"systemd.wants=homebody-shell@{self.emulation.shell}.service"
        if shell not in text:
            extra = f" modules_load=snd-aloop {shell}{self.emulation.option}"
            entry.write_text(re.sub(r"(?m)^(options.*)$", rf"\1{extra}", text), encoding="utf-8")
            run(["mcopy", "-o", "-i", at, entry, name], self._log)

    @contextmanager
    def _boot_partition(self) -> Iterator[tuple[Path, int]]:
        """The disk as a raw file, and the offset in bytes of its first partition; what is written is taken over."""
        raw = self.folder / "disk.raw"
        run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", self._disk, raw], self._log)
        try:
            yield raw, MIB
            run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, self._disk], self._log)
        finally:
            raw.unlink()

    def _open_shell(self) -> None:
        link = socket.socket(socket.AF_UNIX)
        link.connect(os.fspath(self.folder / "shell"))
        self._shell = fdpexpect.fdspawn(link.detach(), encoding="utf-8", codec_errors="replace", timeout=None)
        self._shell.logfile_read = (self.folder / "shell.log").open("a", encoding="utf-8")
        self._shell.sendline("")
        self._expect(self._shell, r"# ", 240, "shell")
        self._shell.sendline(f"stty -echo cols 400; PS1='{_PROMPT}'; PS2=; echo re''ady")
        self._expect(self._shell, r"ready\r?\n", 30, "shell")
        self._expect(self._shell, re.escape(_PROMPT), 30, "shell")

    def _expect(self, place: Any, pattern: Any, seconds: float, name: str) -> str:
        try:
            place.expect(pattern, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            what = "went off" if isinstance(error, pexpect.EOF) else f"did not say it within {seconds:.0f} s"
            before = str(place.before or "")[-800:]
            raise TrialFailed(
                f"The device's {name} should have said {pattern!r}, but {what}. Its last words: {before}",
                remedy=f"All of them are in {self.console_log}.",
            ) from error
        return str(place.after)

    def _close_shell(self) -> None:
        if self._shell is not None:
            self._shell.close()
        self._shell = None

    def _close(self) -> None:
        self._close_shell()
        if self._console is not None:
            self._console.close()
        self._console = self._process = None
