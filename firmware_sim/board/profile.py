"""What kind of board a gadget is: one TOML file a board, those in `profiles/` or one's own."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, get_type_hints

import msgspec
from msgspec import Meta, Struct

from device.errors import BadInput

PROFILES: Final = Path(__file__).with_name("profiles")
"""Folder of the profiles that ship."""

Button: TypeAlias = Literal["talk", "volume_up", "volume_down", "play"]
Celsius: TypeAlias = Annotated[float, Meta(ge=-40, le=150)]
Decibel: TypeAlias = Annotated[float, Meta(ge=-150, le=60)]
Positive: TypeAlias = Annotated[float, Meta(gt=0)]
Share: TypeAlias = Annotated[float, Meta(gt=0, le=1)]


class Thermal(Struct, frozen=True, forbid_unknown_fields=True):
    """How the processor warms up and cools down: a first-order model.

    Attributes:
        ambient: Temperature to which the idle processor returns in its case, in °C.
        heating: °C a second that one busy core adds.
        cooling: Time constant of the way back to `ambient`, in seconds.
        throttle_at: °C from which on the clock is lowered.
        throttled_speed: Share of the speed that is left then.
        resume_at: °C at which the clock is raised again, below `throttle_at`.
    """

    ambient: Celsius
    heating: Annotated[float, Meta(ge=0)]
    cooling: Positive
    throttle_at: Celsius
    throttled_speed: Share
    resume_at: Celsius

    def __post_init__(self) -> None:
        """Raises: ValueError, if the temperatures are out of order: it would throttle for ever."""
        if not self.ambient < self.resume_at < self.throttle_at:
            raise ValueError("`ambient`, `resume_at`, `throttle_at` must rise in this order")


class MicrophoneProfile(Struct, frozen=True, forbid_unknown_fields=True):
    """The microphone with its amplifier.

    Attributes:
        self_noise_dbfs: RMS of its own noise before the gain, relative to full scale.
        gain_db: Gain of its amplifier.
    """

    self_noise_dbfs: Decibel
    gain_db: Decibel = 0.0


class Echo(Struct, frozen=True, forbid_unknown_fields=True):
    """What the loudspeaker gives back to the microphone.

    Attributes:
        gain: Amplitude, relative to what is played.
        delay_s: Seconds from the speaker's port to the microphone's.
    """

    gain: Annotated[float, Meta(ge=0, le=4)]
    delay_s: Annotated[float, Meta(ge=0, le=1)]


class FlashProfile(Struct, frozen=True, forbid_unknown_fields=True):
    """The card or chip that keeps the state.

    Attributes:
        size_mb: Room for state, in 10^6 bytes.
        writes_mb_a_day: What may be written in a day so that it lasts, in 10^6 bytes.
    """

    size_mb: Annotated[int, Meta(ge=1)]
    writes_mb_a_day: Positive


class RealTimeClock(Struct, frozen=True, forbid_unknown_fields=True):
    """The wall clock, left to itself.

    Attributes:
        drift_ppm: How fast it is, in millionths; negative if slow.
    """

    drift_ppm: Annotated[float, Meta(ge=-1000, le=1000)] = 0.0


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """A board.

    Attributes:
        name: Key, as on the command line.
        title: What it is, for people.
        cores: Cores that the device may use.
        speed: Speed of one core, relative to the x86 core on which `processor.REFERENCE` was measured.
        memory_mb: Memory that the system leaves for the device, in 10^6 bytes.
        thermal: How it warms up.
        microphone: Its ears.
        echo: From its mouth to its ears.
        flash: Its memory for state.
        clock: Its wall clock.
        leds: LEDs on its case; 0 for none.
        buttons: Buttons on its case.
        mute_switch: Whether a switch cuts the microphone off.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    title: str
    cores: Annotated[int, Meta(ge=1, le=256)]
    speed: Positive
    memory_mb: Annotated[int, Meta(ge=1)]
    thermal: Thermal
    microphone: MicrophoneProfile
    echo: Echo
    flash: FlashProfile
    clock: RealTimeClock
    leds: Annotated[int, Meta(ge=0, le=256)] = 0
    buttons: tuple[Button, ...] = ()
    mute_switch: bool = False


def shipped() -> tuple[str, ...]:
    """Names of the profiles that ship."""
    return tuple(sorted(path.stem for path in PROFILES.glob("*.toml")))


def load_profile(name_or_path: str | Path) -> Profile:
    """Read a profile.

    Args:
        name_or_path: Name of one that ships, or path of a file that ends in `.toml`.

    Raises:
        BadInput: There is no such profile, or the file can't be read, is not TOML, has an unknown key or an
            impossible value; names the key and what was probably meant.
    """
    name = str(name_or_path)
    if name in shipped():
        path = PROFILES / f"{name}.toml"
    elif name.endswith(".toml"):
        path = Path(name)
    else:
        raise BadInput(
            f"There is no board {name!r}.",
            remedy=f"{_meant(name, shipped())}Choose from: {', '.join(shipped())}; or give the path of a TOML file.",
        )
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The profile {path} can't be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path} is not valid TOML: {error}.", remedy="Correct that line.") from error
    try:
        return msgspec.convert(tree, Profile)
    except msgspec.ValidationError as error:
        raise BadInput(f"{path}: {error}.", remedy=_hint(str(error))) from error


def _hint(message: str) -> str:
    """For an unknown key: the one that was probably meant, and all that exist there."""
    if "unknown field" not in message:
        return f"See the profiles that ship: {', '.join(shipped())}."
    wrong = message.split("`")[1]
    section = message.split("$.")[1].rstrip("`") if "$." in message else ""
    struct: Any = get_type_hints(Profile)[section] if section else Profile
    known = struct.__struct_fields__
    return f"{_meant(wrong, known)}Known keys: {', '.join(known)}."


def _meant(wrong: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(wrong, known, n=1)
    return f"Did you mean `{close[0]}`? " if close else ""
