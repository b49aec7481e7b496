"""What has to work for a device to be fit for use, built as the device itself is built; `device.health` runs it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from device.app.parts import load_all_packs, load_language_model, make_home
from device.app.voice import make_listener, make_stt_engine, make_tts_engine, make_wake_engine
from device.audio.card import SoundCardMicrophone
from device.audio.files import read_audio
from device.audio.level import advise, listen, measure
from device.audio.ports import FRAME, SAMPLE_RATE, Microphone
from device.clock import Clock, SystemClock
from device.config import Config, load_config
from device.errors import BundleError, DatabaseDamaged, DeviceError, EngineFailed, MicrophoneSilent, StorageError
from device.health import Look
from device.nlu.answer import Interpreter, Situation
from device.nlu.grammar import compile_grammar
from device.nlu.pack import Pack
from device.nlu.resolve import ResolveContext
from device.nlu.text import spoken
from device.nlu.understand import Understander
from device.speech.bias.choice import choose
from device.speech.listen import Listener
from device.speech.ports import SttEngine, TtsEngine, WakeEngine, render
from device.speech.recording import speech_in
from device.store.database import Database
from device.store.settings import Settings

COMMAND: Final = "turn on the kitchen light"
INTENT: Final = "light.on"
DEVICE: Final = "kitchen light"
"""The command that is understood, and what it means."""

RECORDING: Final = Path(__file__).with_name("command.flac")
"""`COMMAND`, spoken by Kokoro's voice Heart; 16 kHz mono."""

AUDIBLE_DBFS: Final = -45.0
"""RMS below which a voice is not heard; they speak at -25 to -15 dB."""

_COPIES: Final = 3
"""Times that a database is copied until nobody has written to it meanwhile."""

_AGAIN: Final = "Install Homebody again, or go back to the version before."


def health_checks(home: Path, model: Path | None = None) -> dict[str, Look]:
    """What is looked at, by its name, in order.

    Args:
        home: Folder of all state.
        model: A bundle of the language model to look at in place of the one in use.
    """
    wrong: DeviceError | None = None
    try:
        config = load_config(home)
    except DeviceError as error:
        config, wrong = Config(), error
    if model:
        config = msgspec.structs.replace(config, nlu=msgspec.structs.replace(config.nlu, model=str(model)))
    clock = SystemClock(config.home.timezone)

    def configuration() -> str:
        if wrong:
            raise wrong
        source = home / "config.toml"
        return str(source) if source.exists() else "defaults"

    return {
        "configuration": configuration,
        "database": lambda: remembers(home, clock),
        "microphone": lambda: asyncio.run(hears(SoundCardMicrophone(config.audio.microphone), clock)),
        "wake word": lambda: wakes(make_wake_engine(config)),
        "language model": lambda: knows(config, home, load_all_packs(config, home)),
        "command": lambda: understands(
            make_listener(config, wake=False), make_stt_engine(config, home), load_all_packs(config, home), clock
        ),
        "voice": lambda: speaks(make_tts_engine(config, home)),
    }


def remembers(home: Path, clock: Clock) -> str:
    """A copy of the database opens, holds all that was written, and can be written to.

    The database itself is left as it is: a new system that is only on trial must not turn it into one that the old
    system, to which the device may go back, can't read.

    Raises:
        StorageError: It can't be used.
        DatabaseDamaged: A part or all of it was lost.
    """
    original = make_home(home) / "homebody.db"
    try:
        with tempfile.TemporaryDirectory(dir=home, prefix="check-") as folder:
            _copied(original, Path(folder))
            with contextlib.closing(Database(Path(folder) / original.name)) as database:
                if database.recovered_from or database.lost_commits:
                    raise DatabaseDamaged(
                        "The database was damaged; what could not be read is lost.",
                        remedy="Check timers, alarms, reminders and lists; if it happens again, replace the storage.",
                    )
                Settings(database).set("checked", clock.now().isoformat())
    except OSError as error:
        raise StorageError(
            f"{home} can't be written to: {error.strerror}.", remedy="Free some space, or check the storage."
        ) from error
    return str(original)


def _copied(database: Path, folder: Path) -> None:
    """A database and its log, again if a device that runs has written to them meanwhile."""
    parts = (database, database.with_name(f"{database.name}-wal"))
    for _ in range(_COPIES):
        before = [part.stat() if part.exists() else None for part in parts]
        for part, found in zip(parts, before, strict=True):
            if found:
                shutil.copy(part, folder)
            else:
                (folder / part.name).unlink(missing_ok=True)
        after = [part.stat() if part.exists() else None for part in parts]
        if [found and found.st_mtime_ns for found in before] == [found and found.st_mtime_ns for found in after]:
            return


async def hears(microphone: Microphone, clock: Clock) -> str:
    """The microphone delivers sound: not nothing, and not one value for ever, as one that is switched off does.

    Raises:
        AudioDeviceMissing: It can't be opened.
        MicrophoneSilent: No sound comes.
    """
    level = await listen(microphone, clock)
    if level.dead and (advice := advise(level)):
        raise MicrophoneSilent(advice[0], remedy=advice[1])
    return f"{microphone.name}, room at {level.rms_dbfs:.0f} dB"


def wakes(engine: WakeEngine | None) -> str:
    """The wake words are loaded and take sound."""
    if engine is None:
        return "push to talk"
    engine.process(np.zeros(FRAME, np.int16))
    return ", ".join(engine.capabilities.phrases)


def knows(config: Config, home: Path, packs: Sequence[Pack]) -> str:
    """The language model that should be in use is, and it reads `COMMAND` rightly, if it knows such commands.

    Raises:
        BundleError: It is refused, or reads something else.
    """
    refused: list[DeviceError] = []
    model = load_language_model(config, home, packs, refused)
    if refused:
        raise refused[0]
    if model is None:
        raise BundleError("There is no language model.", remedy=_AGAIN)
    if INTENT in model.labels.intents:
        reading = model.predict(COMMAND.split())
        if not reading.accepted or reading.intents[0][0] != INTENT:
            read = reading.intents[0][0] if reading.accepted else "nothing that it knows"
            raise BundleError(
                f"The language model {model.manifest.name} {model.manifest.version} takes “{COMMAND}” for {read}.",
                remedy="Use another bundle; see `homebody models list`.",
            )
    return f"{model.manifest.name} {model.manifest.version}"


def understands(listener: Listener, stt: SttEngine, packs: Sequence[Pack], clock: Clock) -> str:
    """A recorded command is found in its recording, transcribed and understood, in a home that has such a light.

    Raises:
        EngineFailed: Nobody is heard, or something else is.
    """
    pcm = speech_in(read_audio(RECORDING), listener)
    if pcm is None:
        raise EngineFailed("Nobody is heard in the recording of a command.", remedy=_AGAIN)
    names = {"light.device": (DEVICE,), "device": (DEVICE,)}
    specs = {f"{pack.skill}.{name}": spec for pack in packs for name, spec in pack.intents.items()}
    understander = Understander(compile_grammar(packs, names), specs, None, None)
    interpreter = Interpreter(understander, packs)
    sentences = interpreter.sentences(Situation())
    stt.start(sentences)
    stt.feed(pcm)
    text = choose(stt.finish(), interpreter.known(Situation())).text
    readings = interpreter.understand(text, Situation(), ResolveContext(clock.now(), names))
    meant = [(reading.intent, {name: slot.value for name, slot in reading.slots.items()}) for reading in readings]
    if meant != [(INTENT, {"device": DEVICE})]:
        raise EngineFailed(f"{stt.name} heard “{text}” in place of “{COMMAND}”.", remedy=_AGAIN)
    return f"{stt.name} heard “{spoken(text)}”"


def speaks(tts: TtsEngine) -> str:
    """The voice renders what can be heard.

    Raises:
        EngineFailed: It breaks, or renders silence.
    """
    pcm = render(tts, COMMAND)
    level = measure(pcm)
    if level.dead or level.rms_dbfs < AUDIBLE_DBFS:
        raise EngineFailed(f"{tts.name} speaks at {level.rms_dbfs:.0f} dB: nobody hears that.", remedy=_AGAIN)
    return f"{tts.name}, {len(pcm) / SAMPLE_RATE:.1f} s at {level.rms_dbfs:.0f} dB"
