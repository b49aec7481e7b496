"""What an image has to show in QEMU: it hears and answers, takes updates, and comes back from those that break it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from quantize.image.machine import Machine, TrialFailed

REPLY: Final = "kitchen light is on"
"""What is replied to the recorded command, in any of its wordings."""

STICK: Final = "/run/stick"

BOOT_S: Final = 300.0
"""Seconds that a start may take under emulation on a busy machine."""

INSTALL_S: Final = 600.0

_LOUD_ROOM: Final = (
    f"setsid sh -c 'echo $$ > /run/room; while :; do aplay -q -D plughw:Loopback,1,0 {STICK}/room.wav || sleep 1; done'"
    " > /dev/null 2>&1 &"
)
_STILL_ROOM: Final = "kill -- -$(cat /run/room)"
_DROP_IN: Final = "/run/systemd/system/homebody.service.d"
# An emulated processor follows four sentences at once within the 15 s that a device waits, not sixteen.
_TURNS: Final = (
    f"mkdir -p {_DROP_IN}; printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/homebody serve --turns\\n"
    f"Environment=HOMEBODY_SPEECH__STT_BEAM=4\\nStandardOutput=journal+console\\n' > "
    # It warms up while it listens; an emulated processor has no time for both.
    f"{_DROP_IN}/trial.conf; systemctl daemon-reload; systemctl restart homebody; sleep 15"
)
# 20 MB of the 200 of a root: field 7 are sectors, see the kernel's Documentation/block/stat.rst.
_WRITTEN: Final = (
    "d=$(basename $(readlink -f /dev/disk/by-partlabel/root-{name})); timeout 120 sh -c "
    "'until set -- $(cat /sys/class/block/'$d'/stat); [ $7 -gt 40000 ]; do sleep 0.1; done'"
)
_SETUP: Final = """\
hostname = "kitchen"
[wifi]
name = "Home"
password = "correct horse"
[ssh]
keys = ["{key}"]
"""
_MODEL: Final = "trial"
_RENAMED: Final = (
    'import json; file = "/run/model/manifest.json"; manifest = json.load(open(file)); '
    f'manifest["version"] = "{_MODEL}"; json.dump(manifest, open(file, "w"))'
)
_RESTARTED: Final = (
    "timeout 120 sh -c 'until [ $(systemctl show homebody -p NRestarts --value) -gt 0 ]; do sleep 1; done'"
)
_REPEATS: Final = 5
_TURN_S: Final = 60.0
_AWAIT: Final = "timeout {seconds} sh -c 'until systemctl is-active -q {unit}; do sleep 0.5; done'"


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that was tried.

    Attributes:
        name: What.
        ok: It went as it should.
        detail: How, or what went wrong.
        seconds: How long it took.
    """

    name: str
    ok: bool
    detail: str
    seconds: float


@dataclass(slots=True)
class Trial:
    """A device under trial.

    Attributes:
        machine: It, switched off. Its stick has `command.wav`, `room.wav`, and bundles by their names.
        now: Tells the time in seconds.
        told: Told each thing that was tried.
        results: All of them.
    """

    machine: Machine
    now: Callable[[], float]
    told: Callable[[Shown], None]
    results: list[Shown] = field(default_factory=list)

    def run(self, *, quick: bool) -> None:
        """Hear and answer, refuse what was changed, take an update; unless quick, also a model, and what can go wrong.

        That is: start what was installed, lose power while installing, come back from a system that is ill.
        """
        with self.running(room=False):
            self.show("starts and listens", self.listens)
            self.make_room()
            self.show("hears and answers", self.answers)
            self.show("takes over what its owner wrote", self.takes_over)
            self.show("refuses an update that somebody else signed", lambda: self.refuses("foreign"))
            self.show("refuses a changed update", lambda: self.refuses("tampered"))
            if not quick:
                self.show("takes a language model while it runs", self.learns)
            self.show("installs an update", lambda: self.installs("update"))
        if quick:
            return
        self.show("starts the update, and keeps it", lambda: self.starts("b"))
        self.show("starts after a power cut while installing", self.survives)
        self.show("goes back from a system that is ill", self.goes_back)

    def show(self, name: str, act: Callable[[], str]) -> None:
        """Try one thing; what fails is told, and ends nothing."""
        began = self.now()
        try:
            detail, ok = act(), True
        except TrialFailed as error:
            detail, ok = str(error), False
        self.results.append(Shown(name, ok, detail, self.now() - began))
        self.told(self.results[-1])

    @contextmanager
    def running(self, *, room: bool = True) -> Iterator[None]:
        """The device, started, with its stick, unless told otherwise in a room that is not quite silent."""
        self.machine.let_in()
        with self.machine.running():
            self.machine.sees("Linux version", BOOT_S)
            if room:
                self.make_room()
            yield

    def make_room(self) -> None:
        """Give it its stick, and the noise of a room."""
        shell, stick = self.machine.shell, self.machine.emulation.stick
        shell(f"timeout 120 sh -c 'until [ -b {stick} ]; do sleep 0.5; done'", BOOT_S)
        shell(f"mkdir -p {STICK} && mount -o ro {stick} {STICK}")
        shell(_LOUD_ROOM)

    def listens(self) -> str:
        """It comes up whole, and tells when it listened."""
        shell = self.machine.shell
        shell(_AWAIT.format(seconds=BOOT_S, unit="homebody"), BOOT_S + 10)
        if failed := shell("systemctl --failed --no-legend --plain"):
            raise TrialFailed(f"Units failed: {failed}")
        shown = shell("systemctl show homebody -p ActiveEnterTimestampMonotonic --value; systemd-analyze time || true")
        listened = int(shown.split()[0]) / 1e6
        kernel = re.search(r"([\d.]+)s \(kernel\)", shown)
        own = f", {listened - float(kernel[1]):.1f} s after the kernel's own start" if kernel else ""
        return f"{listened:.1f} s after the kernel began{own}"

    def answers(self) -> str:
        """A recording is played into its microphone, and what it replies is on its console; who isn't heard repeats it.

        A sound card that plays into itself loses samples where the emulated processor is late.
        """
        shell, said = self.machine.shell, ""
        shell(_TURNS, BOOT_S)
        shell(f"{_STILL_ROOM}; sleep 1")
        try:
            for _ in range(_REPEATS):
                shell(f"aplay -q -D plughw:Loopback,1,0 {STICK}/command.wav", 120)
                try:
                    turn = json.loads(self.machine.sees(r"\{\"transcript\".*\}(?=\s*\n)", _TURN_S))
                except TrialFailed:
                    said += "Nothing was heard. "
                    continue
                except ValueError:
                    said += "Something else was said on the same line. "
                    continue
                said += f"“{turn['transcript']}” → “{turn['reply']}” "
                if REPLY in turn["reply"]:
                    return said.rstrip()
        finally:
            shell(_LOUD_ROOM)
        raise TrialFailed(said)

    def takes_over(self) -> str:
        """A file on its boot partition gives it a name and a network, and lets in who has a key, nobody else."""
        shell = self.machine.shell
        shell("for key in owner stranger; do dropbearkey -t ed25519 -f /run/$key; done")
        key = shell("dropbearkey -y -f /run/owner | grep ^ssh-")
        wanted = _SETUP.format(key=key)
        shell(f"mount -o remount,rw /efi; echo '{wanted}' > /efi/homebody.toml; mount -o remount,ro /efi")
        shell("systemctl restart homebody-setup homebody-ssh")
        if "correct horse" in shell("cat /efi/homebody.toml") or "correct horse" not in shell("cat /data/iwd/Home.psk"):
            raise TrialFailed("Wi-Fi's password was not taken over and out.")
        login = "timeout 60 dbclient -y -y -T -i /run/{name} root@localhost hostname < /dev/null"
        if (name := shell(login.format(name="owner")).splitlines()[-1]) != "kitchen":
            raise TrialFailed(f"It is called {name}.")
        if "kitchen" in (said := shell(f"{login.format(name='stranger')} || true")):
            raise TrialFailed(f"It lets in anybody: {said}")
        return "It has its name and network, and lets in who has the key, nobody else"

    def learns(self) -> str:
        """A language model is installed; the service takes it up by itself, without a reboot."""
        shell = self.machine.shell
        shell("cp -r /opt/homebody/models/artefacts/homebody-en /run/model")
        shell(f"python3 -c '{_RENAMED}'")
        shell("homebody update install /run/model", INSTALL_S)
        shell(_RESTARTED, 130)
        shell(_AWAIT.format(seconds=BOOT_S, unit="homebody"), BOOT_S + 10)
        model = json.loads(shell("homebody update status --json 2> /dev/null").splitlines()[-1])["model"]
        if model["version"] != _MODEL:
            raise TrialFailed(f"Version {model['version']} is in use.")
        return f"{model['name']} {model['version']} is in use"

    def refuses(self, bundle: str) -> str:
        """An update that is not what was signed, or that somebody else signed, changes nothing."""
        before = self.primary()
        said = self.machine.shell(
            f"homebody update install {STICK}/{bundle}.raucb && echo =installed= || true", INSTALL_S
        )
        if "=installed=" in said or self.primary() != before:
            raise TrialFailed(f"It was taken: {said}")
        return next((line for line in said.splitlines() if line.startswith("homebody:")), said).removeprefix(
            "homebody: "
        )

    def installs(self, bundle: str) -> str:
        """An update is installed, and would start next."""
        self.machine.shell(f"homebody update install {STICK}/{bundle}.raucb", INSTALL_S)
        return f"{self.primary()} starts next"

    def starts(self, name: str) -> str:
        """It starts the system of this name, which finds itself healthy."""
        with self.running():
            shell = self.machine.shell
            shell(_AWAIT.format(seconds=BOOT_S, unit="homebody"), BOOT_S + 10)
            runs = shell("sed 's/.*rauc.slot=\\([ab]\\).*/\\1/' /proc/cmdline")
            state = shell("/usr/lib/homebody/slots on-trial && echo on trial || echo kept")
            if runs != name:
                raise TrialFailed(f"{runs} runs, and not {name}.")
            if state != "kept":
                journal = shell("journalctl -b -u homebody-confirm --no-pager -o cat | tail -15")
                raise TrialFailed(f"It is still on trial: {journal}")
            return f"{name} runs, and is {state}"

    def survives(self) -> str:
        """Its power is cut in the middle of installing; it starts what it had."""
        with self.running():
            before = self.primary()
            other = "b" if before == "a" else "a"
            self.machine.shell(f"setsid homebody update install {STICK}/update.raucb > /run/install.log 2>&1 &")
            self.machine.shell(_WRITTEN.format(name=other), 140)
        return f"{self.starts(before)} after a cut while the other one was written"

    def goes_back(self) -> str:
        """A system whose voice is broken is installed and started; it marks itself as bad, and the old one is back."""
        with self.running():
            before = self.primary()
            self.installs("broken")
            self.machine.shell("systemctl poweroff --no-block")
            self.machine.off(BOOT_S)
        with self.running():
            self.machine.off(BOOT_S)  # it starts anew by itself
        return f"{self.starts(before)}; the broken one is bad"

    def primary(self) -> str:
        """The system that starts next."""
        return self.machine.shell("/usr/lib/homebody/slots get-primary")
