"""Recorded commands at several noise levels, through a gadget as it is and through one that lacks what is said."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from device.audio.ports import Pcm
from device.clock import SystemClock
from device.dialogue.conversation import Conversation
from device.errors import BadInput
from device.nlu.pack import Pack
from device.speech.ports import SttEngine, VadEngine
from device.workers import ThreadWorkers
from firmware_sim.trials.gadgets import alone, with_built_in, without
from firmware_sim.trials.recordings import Clips, Labels, commands, noisy
from firmware_sim.trials.speech_scores import Heard, Score, false_accepts, hear, score, summary

OFTEN: Final = 3
"""Recordings in which a slot's value must be said, for `Trial.near_miss` to take it out."""

Value: TypeAlias = tuple[str, str]
"""A slot and the words that fill it."""

T = TypeVar("T")


class Watch(Protocol):
    """Shows how far something has come."""

    def __call__(self, things: Sequence[T], what: str) -> Iterable[T]:
        """Pass things on."""


def unwatched(things: Sequence[T], what: str) -> Iterable[T]:
    """A `Watch` that shows nothing."""
    return things


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried.

    Attributes:
        packs: What is known, with nothing taken out.
        clips: The recordings.
        labels: What is said in each of them.
        noise: 16 kHz mono, or None.
        seeds: Each picks other excerpts of the noise.
        built_in: The whole assistant is there, not the packs alone.
        taken: Values that nobody can say any more; who does is to be rejected.
        near_miss: Take each value that is said `OFTEN` out, one after the other.
        strangers: Utterances that are to be rejected.
        strict: Slots that were not said count as wrong.
    """

    packs: Sequence[Pack]
    clips: Clips
    labels: Labels
    noise: Pcm | None = None
    seeds: Sequence[int] = (0,)
    built_in: bool = False
    taken: tuple[Value, ...] = ()
    near_miss: bool = False
    strangers: Sequence[Pcm] = ()
    strict: bool = False

    def sayers(self, value: Value) -> list[str]:
        """Recordings in which a value is said."""
        slot, text = value
        return [name for name in self.clips if self.labels[name].slots.get(slot) == text]

    def often(self) -> list[Value]:
        """Values that are said in enough recordings, most often first."""
        said = Counter(value for name in self.clips for value in self.labels[name].slots.items())
        return [value for value, count in said.most_common() if count >= OFTEN]


def run(
    trial: Trial, engine: SttEngine, vad: VadEngine, levels: Iterable[float | None], watch: Watch = unwatched
) -> Iterator[dict[str, Any]]:
    """Try an engine at several noise levels in dB, of which None is none.

    Yields:
        `engine`, `snr` in dB (None: clean), and what `speech_scores.summary` gives. With values taken out
        `near_misses`: `false_accepts` of the commands that say one, with their `values` (each with `n`, `accepted`),
        and `false_rejects` (`n`, `rejected`, `rate`) of the other commands. With foreign speech `foreign`.

    Raises:
        BadInput: A value can't be taken out, every command says it, or the recordings can't be used.
        DeviceError: The gadget can't be built, or the engine broke.
    """
    hit = {name for value in trial.taken for name in trial.sayers(value)}
    if hit >= trial.clips.keys():
        raise BadInput("Every command says what is taken out.", remedy="Take less out.")
    with tempfile.TemporaryDirectory(prefix="homebody-evaluate-") as home:
        gadgets = _Gadgets(trial, Path(home))
        gadget = gadgets.without(trial.taken)
        for level in levels:
            seeds = trial.seeds if level is not None else trial.seeds[:1]
            where = f"{engine.name}, {'clean' if level is None else f'{level:g} dB'}"
            good: list[list[Score]] = []
            bad: list[tuple[Value, Heard]] = []
            for seed in seeds:
                cut = commands(trial.clips, vad, trial.noise, level, seed)
                heard = {name: hear(name, cut[name], engine, gadget) for name in watch(list(cut), where)}
                good.append([score(heard[name], trial.labels[name]) for name in heard if name not in hit])
                bad += [(value, heard[name]) for value in trial.taken for name in trial.sayers(value)]
                for value in watch(trial.often() if trial.near_miss else [], f"{where}, near misses"):
                    with suppress(BadInput):  # free words, or a value that the pack has by another wording
                        lacking = gadgets.without((*trial.taken, value))
                        bad += [(value, hear(name, cut[name], engine, lacking)) for name in trial.sayers(value)]
            row = {"engine": engine.name, "snr": level} | summary(good, seeds, strict=trial.strict)
            if trial.taken or trial.near_miss:
                row["near_misses"] = _near_misses(bad, good)
            if trial.strangers:
                strangers = watch(list(enumerate(trial.strangers)), f"{where}, foreign")
                row["foreign"] = false_accepts(
                    hear(str(n), _in_noise(trial, pcm, level, n), engine, gadget) for n, pcm in strangers
                )
            yield row


@dataclass(frozen=True, slots=True)
class _Gadgets:
    """Builds gadgets that lack some values, each once."""

    trial: Trial
    home: Path
    built: dict[tuple[Value, ...], Conversation] = field(default_factory=dict)

    def without(self, taken: tuple[Value, ...]) -> Conversation:
        """A gadget that does not know these values.

        Raises:
            BadInput: One can't be taken out.
        """
        if taken not in self.built:
            packs = list(self.trial.packs)
            for slot, text in taken:
                packs = without(packs, slot, text)
            build = with_built_in if self.trial.built_in else alone
            home = self.home / str(len(self.built))
            self.built[taken] = build(packs, home, SystemClock(), ThreadWorkers())
        return self.built[taken]


def _near_misses(bad: Sequence[tuple[Value, Heard]], good: Sequence[Sequence[Score]]) -> dict[str, Any]:
    said = Counter(value for value, _ in bad)
    accepted = Counter(value for value, heard in bad if not heard.rejected)
    every = [each for run_ in good for each in run_]
    rejected = sum(each.heard.rejected for each in every)
    return {
        **false_accepts([heard for _, heard in bad]),
        "values": {f"{slot}={text}": {"n": n, "accepted": accepted[slot, text]} for (slot, text), n in said.items()},
        "false_rejects": {"n": len(every), "rejected": rejected, "rate": round(rejected / len(every), 4)},
    }


def _in_noise(trial: Trial, pcm: Pcm, level: float | None, number: int) -> Pcm:
    """Foreign speech in the noise that the commands are heard in."""
    if trial.noise is None or level is None:
        return pcm
    return noisy(pcm, trial.noise, level, trial.seeds[0], number)
