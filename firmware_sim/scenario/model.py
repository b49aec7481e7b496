"""The scenario language: a YAML file holds one scenario or a list of them. Its JSON schema is made from these types."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, Struct

Duration: TypeAlias = Annotated[
    str | int | float,
    Meta(
        description="Seconds, or a number with its unit: 400 ms, 2 s, 10 min, 8 h, 3 d.", examples=["400 ms", "10 min"]
    ),
]
Words: TypeAlias = Annotated[str, Meta(description="A regular expression that the whole text matches, in any case.")]
Strings: TypeAlias = str | tuple[str, ...]

Ears: TypeAlias = Literal["typed", "tones", "speech"]
"""How a device is talked to.

`typed` puts words straight into the conversation, as `homebody talk --text` does; `tones` is the whole edge loop with
engines that speak and hear tones, exact and quick; `speech` is the whole edge loop with the engines that ship.
"""

AUDIBLE: Final = ("tones", "speech")


class Said(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody says something.

    Attributes:
        text: The words; with the wake word where one is needed. ` ... ` is a pause.
        voice: Who says it, e.g. `joe`, `en-gb`, `en-us+f3@160`; only heard by the ears `speech`.
        file: A recording instead of a voice; relative to the scenario file.
        snr_db: Loudness over the room's noise.
        room: Acoustics between the person and the device: `near`, `across`, `kitchen`, `bathroom`.
        pause: How long each ` ... ` in the text lasts.
        distance: Metres from each device, where there are several: closer is louder.
    """

    text: str = ""
    voice: str = ""
    file: str = ""
    snr_db: float | None = None
    room: str = ""
    pause: Duration = 0.5
    distance: tuple[Annotated[float, Meta(gt=0, le=20)], ...] = ()


class Sound(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something else sounds in the room, beside people who talk to the device; the steps go on meanwhile.

    Attributes:
        file: A recording, relative to the scenario file.
        talk: A television or another person says this, not to the device.
        voice: Of `talk`.
        noise: A bed of sound: noise, many voices, one other person who talks, a television.
        seconds: How long that lasts.
        dbfs: Level at the microphone, relative to full scale.
    """

    file: str = ""
    talk: str = ""
    voice: str = ""
    noise: Literal["", "white", "pink", "babble", "talker", "television"] = ""
    seconds: Duration = 10
    dbfs: Annotated[float, Meta(ge=-90, le=0)] = -30.0


class ClockFault(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The wall clock goes wrong, or moves house.

    Attributes:
        step: Set forward, or back when negative.
        drift_ppm: Runs too fast by so many millionths from now on.
        zone: The device is in another IANA time zone.
    """

    step: Duration = 0
    drift_ppm: float | None = None
    zone: str = ""


class EngineFault(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Engines hang, crash, or work again.

    Attributes:
        stt: Speech to text.
        tts: Text to speech.
        ears: The wake word's engine.
    """

    stt: Literal["hang", "crash", "ok"] | None = None
    tts: Literal["hang", "crash", "ok"] | None = None
    ears: Literal["crash", "ok"] | None = None


class Fault(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What goes wrong from now on, or is mended (`ok`).

    Attributes:
        microphone: The microphone's plug, silence, overdrive, slowness, lost frames.
        speaker: The loudspeaker's plug.
        storage: The flash is full, or mounted read-only.
        power: `cut` pulls the plug at once and puts it back after `off_for`; `off` leaves it out; `on` puts it back.
        process: `killed` ends the program without warning; it is started again after `off_for`.
        after_writes: The power is cut not now but in the middle of the so-manieth write to the flash from now.
        off_for: How long the device is off.
        flip: A bit changes while the device is off: any of the database (its file or its log, whichever is larger), one
            in the header of its file, one of the last change in its log, or any of the installed language model.
        memory: Nothing more can be allocated by engines.
        clock: The wall clock.
        network: Between gadget and appliances.
        engine: Speech engines.
        unreachable: Appliances (or `television`) that do not answer; an empty list mends all.
    """

    microphone: Literal["unplugged", "silent", "clipping", "slow", "xruns", "ok"] | None = None
    speaker: Literal["unplugged", "ok"] | None = None
    storage: Literal["full", "read_only", "ok"] | None = None
    power: Literal["cut", "off", "on"] | None = None
    process: Literal["killed"] | None = None
    after_writes: Annotated[int, Meta(ge=1)] | None = None
    off_for: Duration = 5
    flip: Literal["database", "header", "last change", "bundle"] | None = None
    memory: Literal["pressure", "ok"] | None = None
    clock: ClockFault | None = None
    network: Literal["online", "offline", "slow", "lossy", "flapping"] | None = None
    engine: EngineFault | None = None
    unreachable: tuple[str, ...] | None = None


class ExpectedTimer(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A timer. What is not given is not checked.

    Attributes:
        label: Its name.
        remaining: What is left of it, within three seconds: it runs while the device answers.
        paused: Whether it stands still.
    """

    label: str | None = None
    remaining: Duration | None = None
    paused: bool | None = None


class Expect(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What must be so when the step is over. What is not given is not checked.

    Of what happened in the step tell `reply`, `transcript`, `intent`, `slots`, `changes`, `asks`, `failed`, `ignored`,
    `turns`, `rang`, `announced`, `trouble`, `sound`, `peak_dbfs`, `woken`, `interrupted` and `answers`; of how things
    stand, all others.

    Attributes:
        reply: The last reply.
        transcript: The words as they were heard, without signs.
        intent: Intents of all commands of the last turn, in order; an empty one is an answer that is no command.
        slots: Slot to its words, in the last turn's first command; no others may be filled.
        changes: `skill.action target` of everything that was done, in order.
        asks: The device has asked something.
        failed: Nothing was understood, or it could not be done.
        ignored: It was taken for talk that was not meant for the device.
        turns: How many turns there were.
        rang: What began to ring: `timer`, `alarm`, `reminder`.
        announced: What is said of all that began to ring.
        trouble: Classes of the errors that were reported, such as `MicrophoneStalled`; an empty list is none.
        sound: Kinds of sound that were heard: `speech`, `chime`, `alarm`, `media`; an empty list is silence.
        peak_dbfs: Largest sample that left the loudspeaker, in dB relative to full scale; within one decibel.
        woken: The device was woken, by the wake word or the button.
        interrupted: It was cut short.
        answers: Rooms of the devices that answered.
        house: Appliance to its state.
        tv: State of the television.
        player: State of the player.
        timers: All timers, the next to end first.
        alarms: All alarms, as weekday and time: `mon 07:00`.
        reminders: What all reminders say.
        lists: List to its items.
        ringing: What rings now.
        volume: The user's volume.
        muted: Whether the loudspeaker is muted.
        media_gain: Gain of the music as it is heard now, 0 to 1.
        led: What the light shows.
        phase: What the device is doing.
        time: Wall time of the device: `07:00` or `07:00:30`.
        profile: Who uses the device.
        mb_written: At most so many megabytes were written to the flash since the beginning.
    """

    reply: Words | None = None
    transcript: str | None = None
    intent: Strings | None = None
    slots: dict[str, str] | None = None
    changes: tuple[str, ...] | None = None
    asks: bool | None = None
    failed: bool | None = None
    ignored: bool | None = None
    turns: int | None = None
    rang: Strings | None = None
    announced: Words | None = None
    trouble: Strings | None = None
    sound: Strings | None = None
    peak_dbfs: Annotated[float, Meta(ge=-120, le=0)] | None = None
    woken: bool | None = None
    interrupted: bool | None = None
    answers: Strings | None = None
    house: dict[str, dict[str, Any]] | None = None
    tv: dict[str, Any] | None = None
    player: dict[str, Any] | None = None
    timers: tuple[ExpectedTimer, ...] | None = None
    alarms: tuple[str, ...] | None = None
    reminders: tuple[str, ...] | None = None
    lists: dict[str, tuple[str, ...]] | None = None
    ringing: Strings | None = None
    volume: int | None = None
    muted: bool | None = None
    media_gain: float | None = None
    led: Literal["off", "listening", "thinking", "speaking", "follow_up", "ringing", "muted", "deaf"] | None = None
    phase: Literal["idle", "listening", "thinking", "speaking", "follow_up"] | None = None
    time: str | None = None
    profile: str | None = None
    mb_written: float | None = None


NEEDS_EARS: Final = ("sound", "peak_dbfs", "woken", "interrupted", "led", "phase", "media_gain", "answers")
"""Expectations that mean nothing where words are typed into the conversation."""


class Step(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that happens, and what must come of it. Without an action, what stands is looked at once more.

    Attributes:
        say: Somebody says something to the device; the step is over when it has answered.
        type: The words come as text, from a keyboard or a link; they are answered aloud where there are ears.
        hear: Something else sounds.
        press: A button.
        mute: The mute switch on the case is moved.
        advance: Time passes: a duration, `ring` (until something rings), `to 07:00`, or `to 2026-05-05T07:00`.
        fault: Something goes wrong, or is mended.
        send_after: The action begins so long after the device's answer to the step before has begun to sound.
        repeat: The step is done so often, each time with all its expectations.
        expect: What must be so.
        within_ms: The first sound of the answer comes within so many milliseconds of the last word.
        absent: What must not be so, nor have happened: none of these.
        comment: Why.
    """

    say: str | Said | None = None
    type: str | None = None
    hear: Sound | None = None
    press: Literal["talk", "volume_up", "volume_down", "play"] | None = None
    mute: bool | None = None
    advance: Duration | None = None
    fault: Fault | None = None
    send_after: Duration | None = None
    repeat: Annotated[int, Meta(ge=1, le=10000)] = 1
    expect: Expect | None = None
    within_ms: Annotated[float, Meta(gt=0)] | None = None
    absent: Expect | None = None
    comment: str = ""


ACTIONS: Final = ("say", "type", "hear", "press", "mute", "advance", "fault")


class Scenario(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One story of one gadget.

    Attributes:
        name: What it shows; unique in its file.
        steps: What happens, in order.
        about: For readers.
        expected_failure: Why the device can't do this yet. The scenario is played all the same, and has to fail in its
            last step, not before: once it passes, this line has to go.
        ears: How the device is talked to.
        board: Profile of the board, or a path of one's own.
        start: Wall time at the beginning, without a zone.
        zone: IANA time zone.
        seed: Of everything that is left to chance.
        config: The device's own settings, as in its `config.toml`.
        rooms: Rooms of several devices that hear the same person; the first one's state is what is looked at.
        music: The device plays a library of its own, through its own mixer.
        model: The language model is there; without it only the grammar is.
        noise_dbfs: The room's background noise at the microphone.
        echo: Gain from loudspeaker to microphone, in place of the board's.
        packs: Folder with packs of one's own, relative to the file.
        limit: Time after which the scenario is called stuck.
        cases: The scenario is played once for each of these; `{key}` in any text stands for the case's value.
    """

    name: str
    steps: tuple[Step, ...]
    about: str = ""
    expected_failure: str = ""
    ears: Ears = "typed"
    board: str = "speaker-pi4"
    start: str = "2026-05-04T08:00"
    zone: str = "Europe/Berlin"
    seed: int = 0
    config: dict[str, dict[str, Any]] = {}
    rooms: tuple[str, ...] = ()
    music: bool = False
    model: bool = True
    noise_dbfs: Annotated[float, Meta(ge=-90, le=0)] = -60.0
    echo: Annotated[float, Meta(ge=0, le=1)] | None = None
    packs: str = ""
    limit: Duration = "40 d"
    cases: tuple[dict[str, Any], ...] = ()
