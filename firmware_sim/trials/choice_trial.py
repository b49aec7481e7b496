"""What the weights of `device.speech.bias.choice` are fitted to: commands, near misses and foreign speech, as heard."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from rapidfuzz.distance import Levenshtein

from device.audio.ports import SAMPLE_RATE, Pcm
from device.clock import SystemClock
from device.dialogue.conversation import Conversation
from device.errors import BadInput
from device.nlu.pack import Pack
from device.nlu.text import spoken
from device.speech.bias.choice import features
from device.speech.listen import Listener
from device.speech.ports import SttEngine, Transcript, VadEngine, render
from device.speech.recording import speech_in
from device.workers import ThreadWorkers
from firmware_sim.sound.voices import Voices
from firmware_sim.trials.choice_fit import Example, Kind
from firmware_sim.trials.corpus import VOICES, Command, casting, is_known, read_commands
from firmware_sim.trials.foreign_texts import Texts
from firmware_sim.trials.gadgets import alone, without
from firmware_sim.trials.recordings import Clips, Labels, noisy
from firmware_sim.trials.speech_scores import Heard, score
from firmware_sim.trials.speech_trial import Value, Watch, unwatched
from firmware_sim.trials.spoken_packs import flat

LEVELS: Final = (18.0, 12.0, 6.0)
"""dB by which speech stands above a noise, see `firmware_sim.sound.noise`."""

ASSISTANT: Final = "assistant"
"""The gadget that knows all built-in packs."""

_Noise: TypeAlias = tuple[str, float | None]
"""A bed, and dB by which speech stands above it; None for none."""

_AROUND: Final = SAMPLE_RATE // 2
"""Samples of silence before and after what a voice says."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Recorded commands.

    Attributes:
        packs: What a gadget knows that they are for.
        clips: The recordings.
        labels: What is said in each of them.
    """

    packs: Sequence[Pack]
    clips: Clips
    labels: Labels


@dataclass(frozen=True, slots=True)
class ChoiceTrial:
    """What is said, and how it is heard.

    Attributes:
        engine: Decodes it; it is told what can be said.
        vad: Finds the speech.
        voices: Who can speak.
        beds: What else sounds, by name, 16 kHz mono; each example is heard in one of them by chance, or in none.
        sample: Most examples of each kind and gadget.
        cast: Who does speak.
        seed: Of who says what in which noise.
        watch: Shows how far it has come.
    """

    engine: SttEngine
    vad: VadEngine
    voices: Voices
    beds: Mapping[str, Pcm]
    sample: int
    cast: Sequence[str] = VOICES
    seed: int = 0
    watch: Watch = unwatched

    def run(self, texts: Texts, recorded: Recorded | None = None) -> Iterator[Example]:
        """The whole assistant by voice, then, with recordings, the gadget that they are for.

        Args:
            texts: Foreign speech.
            recorded: Commands of another gadget.

        Raises:
            DeviceError: A gadget can't be built; a voice or an engine is not there, or broke.
        """
        known = read_commands()
        foreign = [Command(text, "command", {}) for text in texts.commands]
        foreign += [Command(text, "prose", {}) for text in texts.prose]
        foreign += [Command(text, "talk", {}) for text in texts.talk]
        with flat() as assistant:
            yield from self.spoken(ASSISTANT, "command", known, assistant)
            yield from self.spoken(ASSISTANT, "foreign", foreign, assistant)
        if recorded:
            name = "+".join(pack.skill for pack in recorded.packs)
            with tempfile.TemporaryDirectory(prefix="homebody-evaluate-") as home:
                gadget = alone(recorded.packs, Path(home), SystemClock(), ThreadWorkers())
                yield from self.recorded(name, "command", recorded, [(clip, gadget) for clip in recorded.clips])
                yield from self.recorded(name, "near miss", recorded, lacking(recorded, Path(home)))
                foreign += [replace(command, intent=ASSISTANT) for command in known]
                yield from self.spoken(name, "foreign", foreign, gadget)

    def spoken(
        self, gadget: str, kind: Kind, commands: Sequence[Command], conversation: Conversation
    ) -> Iterator[Example]:
        """Sentences by voice, of each intent as many. Foreign ones that the gadget knows after all are not said."""
        for said in self.watch(casting(commands, self.cast, self.sample, self.seed), f"{gadget}, {kind}"):
            text = said.command.text
            if kind == "foreign" and is_known(conversation.interpret(text)):
                continue
            pcm = np.pad(render(self.voices.person(said.voice), text), _AROUND)
            noise = self._noises[np.random.default_rng([self.seed, said.number]).integers(len(self._noises))]
            heard = self._hear(pcm, noise, said.number, conversation)
            right = kind == "command" and is_near(heard, text)
            yield self._example(gadget, kind, noise, text, heard, conversation, right)

    def recorded(
        self, gadget: str, kind: Kind, given: Recorded, hearers: Sequence[tuple[str, Conversation]]
    ) -> Iterator[Example]:
        """Recordings, each heard by its own gadgets, by none of them twice in the same noise."""
        every = list(product(hearers, self._noises))
        chosen = np.random.default_rng(self.seed).permutation(len(every))[: self.sample]
        for number in self.watch([int(each) for each in chosen], f"{gadget}, {kind}"):
            (name, conversation), noise = every[number]
            heard = self._hear(given.clips[name], noise, number, conversation)
            right = False
            if kind == "command" and heard.hypotheses:
                readings = conversation.interpret(heard.hypotheses[0].text)
                right = score(Heard(name, heard, readings, 0.0), given.labels[name]).right
            yield self._example(gadget, kind, noise, name, heard, conversation, right)

    def _example(
        self,
        gadget: str,
        kind: Kind,
        noise: _Noise,
        said: str,
        heard: Transcript,
        conversation: Conversation,
        right: bool,
    ) -> Example:
        values = features(heard, conversation.known()) if heard.hypotheses else ()
        return Example(gadget, kind, _name(noise), said, heard, values, right)

    @property
    def _noises(self) -> list[_Noise]:
        return [("clean", None), *product(self.beds, LEVELS)]

    def _hear(self, pcm: Pcm, noise: _Noise, number: int, conversation: Conversation) -> Transcript:
        bed, level = noise
        if level is not None:
            sound = self.beds[bed]
            pcm = noisy(pcm, np.resize(sound, max(len(sound), len(pcm))), level, self.seed, number)
        speech = speech_in(pcm, Listener(None, self.vad))
        self.engine.start(conversation.sentences())
        if speech is not None:
            self.engine.feed(speech)
        return self.engine.finish()


def lacking(given: Recorded, home: Path) -> list[tuple[str, Conversation]]:
    """Each recording with each gadget that lacks a word of it; none where that can't be taken out of the packs.

    Args:
        given: The recordings.
        home: Folder for the gadgets' state.

    Raises:
        PackError: A pack is wrong.
    """
    sayers: dict[Value, list[str]] = {}
    for name in given.clips:
        for value in given.labels[name].slots.items():
            sayers.setdefault(value, []).append(name)
    found: list[tuple[str, Conversation]] = []
    for value, names in sayers.items():
        with suppress(BadInput):  # free words, or all that can be said
            packs = without(given.packs, *value)
            gadget = alone(packs, home / str(len(found)), SystemClock(), ThreadWorkers())
            found += [(name, gadget) for name in names]
    return found


def is_near(heard: Transcript, text: str) -> bool:
    """Whether the best sentence is what was said; with free words in it, as near to that as free decoding, by words."""
    if not heard.hypotheses:
        return False
    best, said = heard.hypotheses[0], spoken(text).split()
    far = Levenshtein.distance(spoken(heard.text).split(), said) if best.free else 0
    return Levenshtein.distance(best.text.split(), said) <= far


def _name(noise: _Noise) -> str:
    bed, level = noise
    return bed if level is None else f"{bed} {level:g} dB"
