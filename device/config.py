"""One typed configuration tree: defaults here, then `config.toml`, then the environment.

`HOMEBODY_HOME` names the folder that holds all state (default `~/.homebody`); `config.toml` lies in it. A variable
such as `HOMEBODY_SPEECH__STT=whisper` sets `speech.stt`. An unknown key is an error, not a surprise.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from device.errors import ConfigError

Probability: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=3600)]
Pin: TypeAlias = Annotated[int, Meta(ge=0, le=63)]
Threads: TypeAlias = Annotated[int, Meta(ge=1, le=64)]

_PUBLIC_KEY = re.compile(r"[A-Za-z0-9+/]{43}=( .*)?")


class AudioConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Sound cards. Empty names mean the system's default.

    Attributes:
        microphone: Name or part of the name of the input.
        speaker: Name or part of the name of the output.
        stall: Seconds without samples after which the microphone counts as dead and is opened again.
        chimes: Play the short sounds at the beginning of listening and on errors.
    """

    microphone: str = ""
    speaker: str = ""
    stall: Seconds = 2.0
    chimes: bool = True


class SpeechConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Speech engines.

    Attributes:
        wake_words: Wake words that are listened for; empty for push-to-talk only.
        wake_models: Folders of wake words of one's own, as `homebody train-wake` makes them; they are listened for too.
        wake_threshold: Probability above which one of `wake_words` counts; those of one's own know theirs.
        wake_check: Look again at what woke it, with the speech-to-text model Moonshine: more people are heard and less
            else wakes it, for 25 ms of an x86 core each time, by its speed 170 ms of a Raspberry Pi 4's.
        stt: Speech-to-text engine.
        stt_threads: Threads of the engine.
        stt_beam: Sentences that Moonshine follows at once; see `device.speech.stt_moonshine`. For slow boards less.
        ears: Folder of an encoder for Moonshine of one's own, as `homebody train-ears` makes it; "" for the one that
            ships.
        tts: Text-to-speech engine.
        trailing_silence: Seconds of silence that end a command, unless what was said tells that nothing is missing.
        unfinished_silence: Seconds of silence that end what plainly lacks something: people think after "set a timer
            for".
        max_command: Longest command in seconds.
        patience: Seconds to wait for a command after the wake word.
        follow_up: Seconds to wait for more after a reply, without the wake word; 0 turns it off.
    """

    wake_words: tuple[Literal["hey_jarvis", "okay_nabu", "alexa"], ...] = ("hey_jarvis", "okay_nabu")
    wake_models: tuple[str, ...] = ()
    wake_threshold: Probability | None = None
    wake_check: bool = True
    stt: Literal["moonshine", "whisper", "vosk"] = "moonshine"
    stt_threads: Threads = 2
    stt_beam: Annotated[int, Meta(ge=1, le=32)] = 16
    ears: str = ""
    tts: Literal["espeak", "piper", "kokoro"] = "espeak"
    trailing_silence: Seconds = 0.7
    unfinished_silence: Seconds = 1.5
    max_command: Seconds = 12.0
    patience: Seconds = 6.0
    follow_up: Annotated[float, Meta(ge=0, le=60)] = 5.0


class NluConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Understanding.

    Attributes:
        model: Bundle folder; empty for the one that ships.
        packs: Folder with packs of one's own; empty for `packs` in the home folder.
        threads: Threads of the model.
        trusted_keys: Public keys that bundles may be signed with, besides those that ship, as
            `homebody models keygen` prints them.
        require_signature: Use no bundle but those signed with a trusted key, and the one that ships, which is as
            trusted as the program that it comes with. Off, so that whoever makes a model can try it at once; a gadget
            that gets its bundles from elsewhere turns it on.
    """

    model: str = ""
    packs: str = ""
    threads: Threads = 1
    trusted_keys: tuple[str, ...] = ()
    require_signature: bool = False

    def __post_init__(self) -> None:
        """Raises: ValueError, if a key is none."""
        for key in self.trusted_keys:
            if not _PUBLIC_KEY.fullmatch(key):
                raise ValueError(f"{key!r} is not a public key, it is the line that `homebody models keygen` prints")


class HomeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The household and its drivers.

    Attributes:
        name: What the household is called.
        room: Room in which this device stands ("here").
        timezone: IANA zone; empty for the machine's own.
        people: Names of the household.
        house: Driver of lights and appliances, an entry point of the group `homebody.drivers`.
        television: Driver of the television.
        player: Driver of the media player; "local" plays `music`.
        music: Folder with the local music library.
    """

    name: str = ""
    room: str = "living room"
    timezone: str = ""
    people: tuple[str, ...] = ()
    house: str = "simulated"
    television: str = "simulated"
    player: str = "simulated"
    music: str = ""

    def __post_init__(self) -> None:
        """Raises: ValueError, if there is no such time zone."""
        if self.timezone:
            try:
                ZoneInfo(self.timezone)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError(
                    f"There is no time zone {self.timezone!r}, it is written like 'Europe/Berlin'"
                ) from error


class PrivacyConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept. Nothing leaves the device by itself.

    Attributes:
        keep_turns_days: Days for which the text of turns is kept; 0 keeps none. Audio is never kept.
        share_feedback: Allows `homebody feedback export` to write kept turns, redacted, to a file for the maker of
            the model. It is the owner who hands the file on: the device sends nothing.
    """

    keep_turns_days: Annotated[int, Meta(ge=0, le=3650)] = 0
    share_feedback: bool = False


class CaseConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What is on the case, by Broadcom's numbers of the pins; nothing unless named.

    Attributes:
        led: Pin of a lamp, or three of a coloured one: red, green, blue. They light it when they are high.
        buttons: Button to the pin that it connects with ground.
        mute_switch: Pin that a switch connects with ground to turn the microphone off.
    """

    led: tuple[Pin, ...] = ()
    buttons: Mapping[Literal["talk", "volume_up", "volume_down", "play"], Pin] = {}
    mute_switch: Pin | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError, if a pin is named twice, or a light is neither one LED nor three."""
        if len(self.led) not in (0, 1, 3):
            raise ValueError("led names one pin, or three: red, green, blue")
        pins = [pin for pin in (*self.led, *self.buttons.values(), self.mute_switch) if pin is not None]
        if twice := {pin for pin in pins if pins.count(pin) > 1}:
            raise ValueError(f"pin {min(twice)} is named twice")


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole tree."""

    audio: AudioConfig = AudioConfig()
    speech: SpeechConfig = SpeechConfig()
    nlu: NluConfig = NluConfig()
    home: HomeConfig = HomeConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    case: CaseConfig = CaseConfig()


_PREFIX = "HOMEBODY_"
_RESERVED = {"HOMEBODY_HOME"}


def home_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds all state."""
    return Path(environ.get("HOMEBODY_HOME") or "~/.homebody").expanduser()


def load_config(home: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read `config.toml` of the home folder, if there is one, then the environment.

    Raises:
        ConfigError: Not readable, not TOML, an unknown key or an impossible value; names the key and its
            neighbours.
    """
    path = home / "config.toml"
    tree: dict[str, Any] = {}
    if path.exists():
        try:
            tree = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} can't be read: {error}.") from error
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path} is not valid TOML: {error}.", remedy="Correct that line.") from error
    try:
        _convert(tree)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}.", remedy=_hint(str(error))) from error
    for variable, text in environ.items():
        if variable.startswith(_PREFIX) and variable not in _RESERVED:
            tree = _overlay(tree, variable, text)
    return _convert(tree)


def _overlay(tree: dict[str, Any], variable: str, text: str) -> dict[str, Any]:
    """The tree with one environment variable laid over it, checked by itself so that the error can name it."""
    section, _, key = variable.removeprefix(_PREFIX).lower().partition("__")
    example = "It is written HOMEBODY_SECTION__KEY, e.g. HOMEBODY_SPEECH__STT=whisper."
    if not key:
        sections = ", ".join(field.name for field in msgspec.structs.fields(Config))
        raise ConfigError(f"Environment variable {variable} names no key.", remedy=f"{example} Sections: {sections}.")
    merged = {**tree, section: {**tree.get(section, {}), key: _parse(text)}}
    try:
        _convert(merged)
    except msgspec.ValidationError as error:
        raise ConfigError(f"Environment variable {variable}: {error}.", remedy=_hint(str(error))) from error
    return merged


def _convert(tree: Mapping[str, Any]) -> Config:
    return msgspec.convert(tree, Config)


def _parse(text: str) -> object:
    """A TOML value if it is one, else the plain string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _hint(message: str) -> str:
    """For an unknown key: the one that was probably meant, and all that exist there. For a value: the choices."""
    where = message.split("$.")[1].rstrip("`. ") if "$." in message else ""
    section, _, key = where.partition(".")
    sections = {field.encode_name: type(field.default) for field in msgspec.structs.fields(Config)}
    struct = sections.get(section, Config)
    if "enum value" in message:
        return f"Choose from: {', '.join(_choices(get_type_hints(struct)[key.partition('[')[0]]))}."
    if "unknown field" not in message:
        return ""
    wrong = message.split("`")[1]
    known = [field.encode_name for field in msgspec.structs.fields(struct)]
    close = difflib.get_close_matches(wrong, known, n=1)
    return (f"Did you mean `{close[0]}`? " if close else "") + f"Known keys: {', '.join(known)}."


def _choices(hint: Any) -> tuple[str, ...]:
    """The values that a `Literal`, or a type made of one, allows."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(choice for part in get_args(hint) for choice in _choices(part))
