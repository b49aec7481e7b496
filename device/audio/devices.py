"""What sound devices this machine has, and how one is opened through PortAudio (`sounddevice`).

PortAudio is imported when a device is first needed, so that a machine without it still has files and typed text.
It lists the devices once, at that moment: one that is plugged in later under a new name is seen after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from device.audio.ports import FRAME, SAMPLE_RATE
from device.errors import AudioDeviceMissing

Direction: TypeAlias = Literal["input", "output"]

SPEAKER_BUFFER: Final = 4 * FRAME / SAMPLE_RATE
"""Seconds that a speaker is given ahead (128 ms): with the two blocks that PortAudio chooses, speech stuttered about
four times as often on a busy machine. Each further block delays the reply, and the silence after a barge-in."""

_WITHOUT: Final = "without one use `talk --text`, `ask --wav FILE` or `say --out FILE`"
_INSTALL: Final = f"Install PortAudio (sudo apt install libportaudio2); {_WITHOUT}."
_CONNECT: Final = f"Connect one and see `homebody doctor`; {_WITHOUT}."


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """One device of the machine, as PortAudio names it.

    Attributes:
        index: PortAudio's number.
        name: Name; part of it is enough in the configuration.
        inputs: Input channels; 0 for a mere output.
        outputs: Output channels.
        rate: Its preferred sample rate in Hz.
        default_input: It is used when no microphone is configured.
        default_output: It is used when no speaker is configured.
    """

    index: int
    name: str
    inputs: int
    outputs: int
    rate: int
    default_input: bool
    default_output: bool


def list_devices() -> list[DeviceInfo]:
    """All sound devices; empty on a machine without any.

    Raises:
        AudioDeviceMissing: PortAudio is not installed.
    """
    sounddevice = portaudio()
    default_input, default_output = sounddevice.default.device
    return [
        DeviceInfo(
            index=index,
            name=str(info["name"]),
            inputs=int(info["max_input_channels"]),
            outputs=int(info["max_output_channels"]),
            rate=round(info["default_samplerate"]),
            default_input=index == default_input,
            default_output=index == default_output,
        )
        for index, info in enumerate(sounddevice.query_devices())
    ]


def find_device(devices: Iterable[DeviceInfo], wanted: str, direction: Direction) -> DeviceInfo:
    """The device whose name contains `wanted` (any case), or the default one if `wanted` is empty.

    Raises:
        AudioDeviceMissing: There is none; the message lists those that there are.
    """
    thing = "microphone" if direction == "input" else "speaker"
    able = [d for d in devices if (d.inputs if direction == "input" else d.outputs) > 0]
    if not able:
        raise AudioDeviceMissing(f"This machine has no {thing}.", remedy=_CONNECT)
    if not wanted:
        return next((d for d in able if (d.default_input if direction == "input" else d.default_output)), able[0])
    for device in able:
        if wanted.casefold() in device.name.casefold():
            return device
    names = ", ".join(f"“{device.name}”" for device in able)
    raise AudioDeviceMissing(
        f"There is no {thing} called “{wanted}”; there are {names}.", remedy=f"Correct audio.{thing}."
    )


def open_stream(device: DeviceInfo, direction: Direction, callback: Callable[..., None]) -> tuple[Any, int]:
    """Open an int16 stream, not yet started, and return it with its rate in Hz.

    Takes the first settings that the device accepts: 16 kHz before its own rate, one channel before more. The
    callback's blocks, shape [n, channels], last as long as one frame of the house.

    Raises:
        AudioDeviceMissing: The device accepts none of them (it may be in use by another program).
    """
    sounddevice = portaudio()
    stream_class = sounddevice.InputStream if direction == "input" else sounddevice.OutputStream
    most = device.inputs if direction == "input" else device.outputs
    reason: object = ""
    for rate in dict.fromkeys((SAMPLE_RATE, device.rate)):
        for channels in dict.fromkeys((1, min(2, most), most)):
            try:
                stream = stream_class(
                    device=device.index,
                    channels=channels,
                    dtype="int16",
                    samplerate=rate,
                    blocksize=round(rate * FRAME / SAMPLE_RATE),
                    latency="high" if direction == "input" else SPEAKER_BUFFER,
                    callback=callback,
                )
            except (sounddevice.PortAudioError, ValueError) as error:
                reason = error
            else:
                return stream, rate
    raise _unusable(device, reason)


def start_stream(stream: Any, device: DeviceInfo) -> None:
    """Let an open stream run.

    Raises:
        AudioDeviceMissing: The device refuses.
    """
    try:
        stream.start()
    except portaudio().PortAudioError as error:
        raise _unusable(device, error) from error


def portaudio() -> Any:
    """The module `sounddevice`.

    Raises:
        AudioDeviceMissing: It or PortAudio is not installed.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise AudioDeviceMissing("The Python package sounddevice is missing.", remedy=_INSTALL) from error
    except OSError as error:  # the package is there, its shared library is not
        raise AudioDeviceMissing("PortAudio is not installed.", remedy=_INSTALL) from error
    return sounddevice


def _unusable(device: DeviceInfo, reason: object) -> AudioDeviceMissing:
    return AudioDeviceMissing(
        f"“{device.name}” can't be opened: {reason}.",
        remedy="Close programs that use it, or choose another one (see `homebody doctor`).",
    )
