"""A sound server of the test's own, what is played into it and recorded from it, and the real program beside it."""

import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

VOICE_RATE: Final = 44_100
"""Hz of what is said into the microphone, in stereo: neither the house's rate nor a multiple of it."""

SPEAKER_RATE: Final = 48_000
"""Hz of the sound card that the device speaks through, in stereo."""

PATIENCE: Final = 30.0
"""Seconds to wait for what should come soon: a loaded machine may take long."""

ECHO: Final = "-12dB"
"""What the microphone picks up of the speaker."""

LOUD: Final = 100.0
"""RMS above which a stretch of a recording is sound; null sinks have no noise."""

HOP: Final = 0.02
"""Seconds over which loudness is taken."""

HOMEBODY: Final = Path(sys.executable).with_name("homebody")
PROGRAMS: Final = ("pulseaudio", "pactl", "pacat", "parec")

ALSA: Final = """
pcm.kitchen_microphone { type pulse device microphone hint { show on description "Kitchen microphone" } }
pcm.kitchen_speaker { type pulse device speaker hint { show on description "Kitchen speaker" } }
"""
"""What PortAudio finds, besides what Debian's own ALSA configuration adds."""

MICROPHONE: Final = ("module-remap-source", "source_name=microphone", "master=voice.monitor")

MODULES: Final = (
    # Without rewinding a null sink works in blocks of 50 ms, like hardware; otherwise of two seconds.
    ("module-null-sink", "sink_name=speaker", f"rate={SPEAKER_RATE}", "channels=2", "norewinds=1"),
    ("module-null-sink", "sink_name=voice", f"rate={VOICE_RATE}", "channels=2", "norewinds=1"),
    MICROPHONE,
)


def what_is_missing() -> str:
    """Why the real audio stack can't be tried on this machine; empty if it can."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        return f"{', '.join(absent)} not installed (see .ci/audio-test)"
    if not list(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        return "ALSA's plugin for PulseAudio is not installed (Debian: libasound2-plugins)"
    done = subprocess.run([sys.executable, "-c", "import sounddevice"], capture_output=True, text=True)
    return "" if done.returncode == 0 else "PortAudio is not installed (Debian: libportaudio2)"


def eventually(look: Callable[[], T], what: Callable[[], str] | str, patience: float = PATIENCE) -> T:
    """What `look` gives as soon as it is true; fails with `what` after the patience."""
    end = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < end, f"waited {patience:.0f} s for {what if isinstance(what, str) else what()}"
        time.sleep(0.05)
    return found


class SoundServer:
    """PulseAudio that shares nothing with the user's own: its socket, state and settings lie in `folder`.

    What is played into the sink “voice” is what the microphone hears; the sink “speaker” is what the device
    speaks through.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._socket = folder / "socket"
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("run", "state", "config"):
            (folder / name).mkdir(mode=0o700)
        (folder / ".asoundrc").write_text(ALSA)
        (folder / "client.conf").write_text("autospawn = no\n")
        foreign = ("PULSE_", "HOMEBODY_", "ALSA_", "XDG_", "DBUS_")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PULSE_RUNTIME_PATH": str(folder / "run"),
            "PULSE_STATE_PATH": str(folder / "state"),
            "PULSE_CLIENTCONFIG": str(folder / "client.conf"),
            "PULSE_SERVER": f"unix:{self._socket}",
        }

    def start(self) -> str:
        """Start it with its modules; says why it can't, or nothing."""
        self._socket.unlink(missing_ok=True)
        options = "-n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --realtime=no --high-priority=no"
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["pulseaudio", *options.split(), "--log-target=stderr"]
                + [f"--load=module-native-protocol-unix socket={self._socket} auth-anonymous=1"]
                + [f"--load={' '.join(module)}" for module in MODULES],
                env={name: value for name, value in self.environment.items() if name != "PULSE_SERVER"},
                stdout=log,
                stderr=log,
            )
        eventually(lambda: self._answers() or self._over(), "PulseAudio to start")
        return "PulseAudio does not start: " + self._log() if self._over() else ""

    def stop(self) -> None:
        """End it as a crash would: nothing is said to its clients."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pactl(self, *arguments: str) -> str:
        """Ask or tell the server something."""
        done = subprocess.run(["pactl", *arguments], env=self.environment, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, f"pactl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def kill(self, kind: str, stream: str) -> None:
        """Take a “source-output” or “sink-input” from its program, which `pactl` can't."""
        path = self.folder / "commands"
        self.pactl("load-module", "module-cli-protocol-unix", f"socket={path}")
        with socket.socket(socket.AF_UNIX) as commands:
            commands.connect(str(path))
            commands.sendall(f"kill-{kind} {stream}\n".encode())
            eventually(lambda: stream not in self.streams(f"{kind}s"), f"the end of stream {stream}")

    def streams(self, kind: str, owner: str = "protocol-native") -> list[str]:
        """Numbers of the “sink-inputs” or “source-outputs” that programs, or a module, have open."""
        rows = self.pactl("list", "short", kind).splitlines()
        return [row.split()[0] for row in rows if owner in row]

    def let_the_microphone_hear_the_speaker(self) -> None:
        """Echo: what the device says comes back to it, attenuated and some 100 ms later."""
        self.pactl("load-module", "module-loopback", "source=speaker.monitor", "sink=voice", "latency_msec=30")
        [echo] = eventually(lambda: self.streams("sink-inputs", "module-loopback"), "the echo")
        self.pactl("set-sink-input-volume", echo, ECHO)

    def say(self, sound: NDArray[np.int16]) -> None:
        """Play stereo at `VOICE_RATE`, shape [n, 2], into the microphone, to its end."""
        command = _playing("voice")
        subprocess.run(command, input=sound.tobytes(), env=self.environment, check=True, timeout=60)

    def keep_saying(self, sound: NDArray[np.int16]) -> "Running":
        """Play on while the test goes on."""
        path = self.folder / "playing.raw"
        path.write_bytes(sound.tobytes())
        return Running([*_playing("voice"), str(path)], self.environment)

    def record(self, source: str, rate: int = SPEAKER_RATE) -> "Recording":
        """Record a source from now on."""
        recording = Recording(self.folder / f"{source}.{time.monotonic_ns()}.raw", source, rate, self.environment)
        eventually(lambda: len(recording.samples()), f"the first samples of {source}")
        return recording

    def _answers(self) -> bool:
        return subprocess.run(["pactl", "info"], env=self.environment, capture_output=True).returncode == 0

    def _over(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")[-500:]


def _playing(sink: str) -> list[str]:
    # A long buffer: on a loaded machine the player must not stutter.
    settings = f"--format=s16le --rate={VOICE_RATE} --channels=2 --raw --latency-msec=500"
    return ["pacat", "--playback", f"--device={sink}", *settings.split()]


class Running:
    """A program that runs until the end of a `with`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], out: IO[bytes] | None = None) -> None:
        self._process = subprocess.Popen(command, env=environment, stdout=out)

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()


class Recording(Running):
    """What a source delivers, mono; it goes on until the end of the `with`."""

    def __init__(self, path: Path, source: str, rate: int, environment: Mapping[str, str]) -> None:
        self.rate = rate
        self._path = path
        settings = f"--format=s16le --rate={rate} --channels=2 --raw --latency-msec=20"
        with path.open("wb") as out:
            super().__init__(["parec", f"--device={source}", *settings.split()], environment, out)

    def samples(self) -> NDArray[np.float64]:
        """All so far, shape [n], in sample values."""
        raw = np.fromfile(self._path, np.int16)
        return raw[: len(raw) // 2 * 2].reshape(-1, 2).mean(axis=1)

    def loudness(self) -> NDArray[np.float64]:
        """RMS of each `HOP` so far, shape [n]."""
        samples, size = self.samples(), round(HOP * self.rate)
        whole = samples[: len(samples) // size * size].reshape(-1, size)
        return np.sqrt(np.mean(np.square(whole), axis=1))

    def wait_for_sound(self, seconds: float = HOP) -> None:
        """Wait until it has sounded for so long in all."""
        eventually(lambda: np.sum(self.loudness() > LOUD) * HOP >= seconds, "sound")

    def wait_for_quiet(self, seconds: float = 1.0) -> None:
        """Wait until it has been quiet for so long."""
        count = round(seconds / HOP)

        def quiet() -> bool:
            loudness = self.loudness()
            return len(loudness) > count and not np.any(loudness[-count:] > LOUD)

        eventually(quiet, "quiet")

    def sound(self) -> NDArray[np.float64]:
        """From its first to its last loud moment, with a tenth of a second around."""
        loud = np.flatnonzero(self.loudness() > LOUD)
        assert len(loud), "nothing was heard"
        size = round(HOP * self.rate)
        return self.samples()[max(0, loud[0] - 5) * size : (loud[-1] + 6) * size]


class Talk:
    """`homebody talk --json` on a server's microphone and speaker."""

    def __init__(self, server: SoundServer, environment: Mapping[str, str]) -> None:
        self.turns: list[Any] = []
        self.notes: list[str] = []
        self._server = server
        self._process = subprocess.Popen(
            [HOMEBODY, "talk", "--json"],
            env={**environment, "PYTHONFAULTHANDLER": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell that runs this in the background has interrupts ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert self._process.stdout
        assert self._process.stderr
        self._readers = [
            threading.Thread(
                target=_read, args=(self._process.stdout, lambda line: self.turns.append(json.loads(line)))
            ),
            threading.Thread(target=_read, args=(self._process.stderr, self.notes.append)),
        ]
        for reader in self._readers:
            reader.start()
        eventually(self._listens, self.said)

    def say(self, sound: NDArray[np.int16], patience: float = 8.0) -> Any:
        """Say something; the turn that comes of it, or None if it is not heard."""
        before = len(self.turns)
        self._server.say(sound)
        end = time.monotonic() + patience
        while time.monotonic() < end and len(self.turns) == before:
            time.sleep(0.05)
        return self.turns[before] if len(self.turns) > before else None

    def command(self, sound: NDArray[np.int16]) -> Any:
        """Say something until it is heard, three times at most, as people do."""
        turn = next(filter(None, (self.say(sound) for _ in range(3))), None)
        assert turn, f"not heard. {self.said()}"
        return turn

    def wait_for_note(self, text: str) -> None:
        """Wait until standard error says something."""
        eventually(lambda: any(text in note for note in self.notes), lambda: f"“{text}”. {self.said()}")

    def troubles(self) -> list[str]:
        """What the device reports, without what the libraries below it print."""
        return [note for note in self.notes if note.lstrip().startswith("trouble")]

    def said(self) -> str:
        """What is known when something goes wrong."""
        turns = [turn["transcript"] for turn in self.turns]
        return f"exit code {self._process.poll()}, turns {turns}, notes {self.notes[-5:]}, {self.troubles()}"

    def interrupt(self) -> int:
        """Ctrl+C; returns the exit code. Where it hangs it tells what each thread was at."""
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)
            self._process.wait(PATIENCE)
            raise AssertionError("".join(self.notes)) from None

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        assert self._process.stdout
        assert self._process.stderr
        self._process.stdout.close()
        self._process.stderr.close()

    def _listens(self) -> bool:
        """The speaker is opened after the microphone."""
        assert self._process.poll() is None, self.said()
        return bool(self._server.streams("sink-inputs") and self._server.streams("source-outputs"))


def _read(lines: IO[str], take: Callable[[str], None]) -> None:
    for line in lines:
        take(line)


def tone(hertz: float, rate: int, seconds: float, amplitude: float = 9000) -> NDArray[np.float64]:
    """A sine, shape [n]."""
    return amplitude * np.sin(2 * math.pi * hertz * np.arange(round(rate * seconds)) / rate)


def stereo(mono: NDArray[Any]) -> NDArray[np.int16]:
    """Both channels the same, shape [n, 2]."""
    return np.repeat(np.rint(mono).astype(np.int16)[:, np.newaxis], 2, axis=1)
