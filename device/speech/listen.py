"""The ears as one thing: wake words, voice activity and endpoint over one stream of frames, with pre-roll.

Synchronous and free of clocks and threads: frames in, events out, positions counted in samples since the
listener was made. The assistant says what is listened for (`listen`); the audio worker calls `feed`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

import numpy as np

from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.speech.endpoint import Ended, Endpoint, EndpointConfig, EndpointState, Paused, Started, TimedOut
from device.speech.ports import VadEngine, WakeEngine

Mode: TypeAlias = Literal["off", "idle", "command", "follow_up", "interrupt"]
"""What is listened for.

`off` nothing (muted); `idle` wake words; all others wake words and speech: `command` after the wake word,
`follow_up` after a reply, `interrupt` while the device speaks (short words such as "stop", again and again).
"""

HISTORY_SECONDS: Final = 2.0
"""How far back `listen(since=...)` and the pre-roll can reach."""


@dataclass(frozen=True, slots=True)
class ListenConfig:
    """How the ears behave; times in seconds.

    Attributes:
        endpoint: Begin and end of commands; its `no_speech_timeout_s` is the patience after the wake word.
        follow_up_s: Patience in `follow_up`.
        interrupt_max_s: Longest utterance in `interrupt`; longer ones are not reported.
        pre_roll_s: Audio kept before the detected begin of speech.
        tail_s: Audio kept after the detected end; at most `endpoint.pause_s`.
        reach_back_s: Audio before the recognition of the wake word (which comes about 150 ms after its end) that
            belongs to the command, so that a command in one breath with it keeps its first word.
    """

    endpoint: EndpointConfig = field(default_factory=EndpointConfig)
    follow_up_s: float = 5.0
    interrupt_max_s: float = 2.0
    pre_roll_s: float = 0.3
    tail_s: float = 0.125
    reach_back_s: float = 0.2


@dataclass(frozen=True, slots=True)
class WakeWord:
    """A wake word ended at about sample `at`; speech from sample `listen_from` on may be the command."""

    phrase: str
    at: int
    listen_from: int


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody speaks since sample `at`; `pcm` is the audio so far, with pre-roll, for streaming decoders."""

    at: int
    pcm: Pcm = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """The audio that followed, for streaming decoders."""

    pcm: Pcm = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """Speech may have ended at sample `at`.

    `pcm` is what the utterance will be if nothing follows: the `Utterance` then has `ended == at` and the same
    samples, so a transcript that was made meanwhile is its transcript, and `Listener.hold` may say how long this pause
    has to last. If more is said, forget it.
    """

    at: int
    pcm: Pcm = field(repr=False, compare=False)
    mode: Mode


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech ended: the whole audio with pre-roll and tail, and where the speech in it began and ended.

    Attributes:
        pcm: 16 kHz mono int16.
        started: Sample at which speech began.
        ended: Sample at which speech ended; the silence that proves it comes after.
        reason: Why it ended.
        mode: What was listened for.
    """

    pcm: Pcm = field(repr=False, compare=False)
    started: int
    ended: int
    reason: Literal["silence", "max_length"]
    mode: Mode


@dataclass(frozen=True, slots=True)
class NoSpeech:
    """Nobody spoke in time."""

    at: int
    mode: Mode


ListenEvent: TypeAlias = WakeWord | SpeechStarted | SpeechChunk | SpeechPaused | Utterance | NoSpeech


class Listener:
    """Composes wake, VAD and endpoint.

    After an `Utterance` or `NoSpeech` in `command` and `follow_up` the mode is `idle` again.

    Args:
        wake: Wake word engine; None for push-to-talk only.
        vad: Voice activity engine.
        config: How the ears behave.
    """

    def __init__(self, wake: WakeEngine | None, vad: VadEngine, config: ListenConfig | None = None) -> None:
        self._wake = wake
        self._vad = vad
        self._config = config or ListenConfig()
        self._history: deque[Pcm] = deque(maxlen=round(HISTORY_SECONDS * SAMPLE_RATE / FRAME))
        self._speech: list[Pcm] | None = None
        self._speech_from = 0
        self._since = 0
        self._pending: list[ListenEvent] = []
        self._endpoint: Endpoint | None = None
        self._onset = 0
        self._cut_at = float("-inf")
        self._woken_at = -1
        self.mode: Mode = "idle"
        self.position = 0

    @property
    def speaking(self) -> bool:
        """True while somebody speaks, not in a pause. May be read from any thread."""
        endpoint = self._endpoint
        return endpoint is not None and endpoint.state in (EndpointState.MAYBE_SPEECH, EndpointState.SPEECH)

    @property
    def begun(self) -> bool:
        """True once somebody has begun to speak, in a pause as well. May be read from any thread."""
        endpoint = self._endpoint
        return endpoint is not None and endpoint.state is not EndpointState.SILENCE

    def listen(self, mode: Mode, since: int | None = None) -> None:
        """Change what is listened for; speech under way is dropped.

        Args:
            mode: The new mode.
            since: Sample from which speech counts, by default now. The past is heard again as far as the
                history reaches, so that a command spoken in one breath with the wake word is not cut.
        """
        was_off = self.mode == "off"
        self.mode = mode
        self._speech, self._endpoint, self._pending = None, None, []
        if mode == "off":
            self._history.clear()
            return
        if was_off and self._wake:
            self._wake.reset()
        if mode == "idle":
            return
        self._since = self.position if since is None else since
        self._vad.reset()
        heard = self.position - len(self._history) * FRAME
        for frame in list(self._history):
            self._pending += self._hear(frame, heard)
            heard += FRAME

    def hold(self, at: int, seconds: float) -> None:
        """Let the pause of a `SpeechPaused` last so long before it is the end; see `Endpoint.hold`."""
        if self._endpoint:
            self._endpoint.hold(at, seconds)

    def feed(self, frame: Pcm) -> list[ListenEvent]:
        """Take the next frame of `FRAME` samples; say what happened."""
        begin, self.position = self.position, self.position + FRAME
        if self.mode == "off":
            return []
        events, self._pending = self._pending, []
        self._history.append(frame)
        if self._wake and (phrase := self._wake.process(frame)):
            self._woken_at = self.position - self._wake.late
            back = round(self._config.reach_back_s * SAMPLE_RATE)
            events.append(WakeWord(phrase, self._woken_at, self._woken_at - back))
        return events + self._hear(frame, begin)

    def _hear(self, frame: Pcm, begin: int) -> list[ListenEvent]:
        """Run VAD and endpoint over one frame that begins at sample `begin`, where speech is listened for."""
        if self.mode in ("off", "idle") or begin < self._since:
            return []
        if self._endpoint is None:
            self._endpoint = Endpoint(self._endpoint_config(), begin)
        if self._speech is not None:
            self._speech.append(frame)
        match self._endpoint.push(self._vad.process(frame)):
            case Started(at):
                self._begin(at, begin + FRAME)
                return [SpeechStarted(at, np.concatenate(self._speech or [frame]))]
            case Paused(at) | Ended(at, _) if at <= self._woken_at:
                # Only the end of the wake word was heard: the command is still to come.
                self._speech, self._endpoint = None, Endpoint(self._endpoint_config(), self.position)
            case Paused(at) if self.mode != "interrupt" or not self._follows_talk():
                return [SpeechChunk(frame), SpeechPaused(at, self._until(at), self.mode)]
            case Ended(at, reason):
                return self._end(at, reason)
            case TimedOut(at):
                mode, self.mode = self.mode, "idle"
                return [NoSpeech(at, mode)]
        return [] if self._speech is None else [SpeechChunk(frame)]

    def _endpoint_config(self) -> EndpointConfig:
        config = self._config.endpoint
        if self.mode == "follow_up":
            return replace(config, no_speech_timeout_s=self._config.follow_up_s)
        if self.mode == "interrupt":
            return replace(config, no_speech_timeout_s=None, max_s=self._config.interrupt_max_s)
        return config

    def _begin(self, at: int, heard: int) -> None:
        """Collect the audio from the pre-roll up to sample `heard`."""
        oldest = self.position - len(self._history) * FRAME
        first = max(at - round(self._config.pre_roll_s * SAMPLE_RATE), self._since, oldest)
        skip = (first - oldest + FRAME - 1) // FRAME
        self._speech_from = oldest + skip * FRAME
        self._onset = at
        self._speech = list(self._history)[skip : (heard - oldest) // FRAME]

    def _end(self, at: int, reason: Literal["silence", "max_length"]) -> list[ListenEvent]:
        """Report the utterance, cut shortly after the end of its speech."""
        pcm, mode = self._until(at), self.mode
        self._speech = None
        if mode != "interrupt":
            self.mode = "idle"
        elif self._is_talk(at, reason):
            return []
        return [Utterance(pcm, self._onset, at, reason, mode)]

    def _is_talk(self, at: int, reason: Literal["silence", "max_length"]) -> bool:
        """Whether it is longer than "stop" can be, or the rest of what was: a conversation, whatever its last word."""
        rest = self._follows_talk()
        if reason == "max_length":
            self._cut_at = at
        return rest or reason == "max_length"

    def _follows_talk(self) -> bool:
        """Whether this began where longer speech was cut."""
        return self._onset - self._cut_at < self._config.endpoint.trailing_silence_s * SAMPLE_RATE

    def _until(self, at: int) -> Pcm:
        """What was said until sample `at`, with the tail."""
        end = at - self._speech_from + round(self._config.tail_s * SAMPLE_RATE)
        return np.concatenate(self._speech or [np.empty(0, np.int16)])[:end]
