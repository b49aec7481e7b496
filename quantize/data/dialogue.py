"""Answers in context: what people say after the device has asked, confirmed or replied.

The context is what the device said (the packs' own questions and replies); the utterance answers, corrects,
agrees, refuses, cancels, selects or asks again. The intent is the one that is pending.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from device.nlu.pack import IntentSpec, Pack
from device.nlu.text import words
from device.nlu.types import OOS, Act
from quantize.data.example import Example, Span
from quantize.data.sample import PackSampler

SOURCE: Final = "dialogue"

_ANSWERS: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("{}", "{}", "at {}", "for {}", "around {}", "by {}"),
    "date": ("{}", "{}", "on {}", "for {}"),
    "duration": ("{}", "{}", "for {}", "make it {}", "about {}"),
    "recurrence": ("{}", "make it {}"),
    "room": ("{}", "the {}", "in the {}", "the {} one", "the one in the {}"),
    "device": ("{}", "the {}", "the {} please"),
    "percent": ("{}", "to {}", "{} please", "about {}"),
    "temperature": ("{}", "to {}", "{} please"),
    "number": ("{}", "number {}"),
    "channel": ("{}", "channel {}", "put on {}"),
    "artist": ("{}", "something by {}", "anything by {}"),
    "list": ("{}", "the {} list", "my {} list", "on the {} list", "the {} one"),
    "message": ("{}", "{}", "to {}", "that i should {}", "call it {}"),
    "item": ("{}", "{}", "some {}", "{} please", "and {}"),
    "color": ("{}", "make it {}", "{} please", "to {}"),
}
_ANY_ANSWER: Final = (
    "{}", "{}", "{} please", "um {}", "it's {}", "i'd say {}", "the {}", "{} i think", "i want {}",
    "let's say {}",
)  # fmt: skip
_CORRECTIONS: Final = (
    "no {}", "no i said {}", "i said {}", "no i meant {}", "i meant {}", "make that {}", "actually {}",
    "actually make it {}", "no not {0} {}", "not {0} {}", "not the {0} the {}", "wait {}", "sorry i meant {}",
    "no make it {}", "change it to {}", "no wait {}", "oh no {}", "rather {}", "i mean {}", "that should be {}",
    "no for {}", "no at {}", "it should be {} not {0}", "correction {}", "no that's wrong i said {}",
)  # fmt: skip

_AFFIRM: Final = (
    "yes", "yeah", "yep", "yup", "yes please", "yeah please", "sure", "sure thing", "of course", "okay", "ok",
    "go ahead", "yes go ahead", "do it", "yes do it", "please do", "that's right", "right", "correct",
    "exactly", "absolutely", "definitely", "yes i am sure", "i'm sure", "yes that's right", "sounds good",
    "fine", "that's fine", "yes i do", "i do", "why not", "yes of course", "okay go ahead", "yeah sure",
    "uh huh", "please", "by all means", "yes that one", "yes that's correct", "go for it", "perfect",
    "all right", "alright then", "affirmative", "you got it", "indeed",
)  # fmt: skip
_DENY: Final = (
    "no", "nope", "nah", "no thanks", "no thank you", "don't", "please don't", "no don't", "not now",
    "rather not", "i'd rather not", "no way", "absolutely not", "of course not", "no i don't", "better not",
    "negative", "no that's wrong", "that's wrong", "no don't do that", "no please don't", "not really",
    "no not that", "certainly not", "don't do it", "no not that one", "i don't want that", "i don't think so",
    "no it's not", "that's not right", "not today", "no no",
)  # fmt: skip
_CANCEL: Final = (
    "cancel", "cancel that", "cancel it", "never mind", "nevermind", "forget it", "forget about it",
    "forget that", "leave it", "leave it be", "no never mind", "oh never mind", "actually never mind", "abort",
    "quit", "drop it", "drop that", "please cancel", "just cancel", "no forget it", "let it go",
    "it doesn't matter", "skip it", "i changed my mind", "actually forget it", "never mind then",
    "don't bother", "okay cancel", "no cancel that", "stop asking",
)  # fmt: skip
_REPEAT: Final = (
    "repeat", "repeat that", "say that again", "say it again", "again please", "pardon", "pardon me", "what",
    "come again", "what did you say", "excuse me", "sorry what", "what was that", "could you repeat that",
    "can you say that again", "please repeat that", "i didn't hear you", "i didn't catch that", "one more time",
    "huh", "sorry i didn't get that", "can you repeat the question", "say again", "once more please",
    "what was the question", "what did you just say",
)  # fmt: skip
_SELECT: Final = (
    "the first", "the first one", "the second", "the second one", "the third one", "the third", "the last one",
    "the last", "number one", "number two", "number three", "the fourth one", "first one", "second one",
    "last one", "option one", "option two", "the former", "the latter", "the other one", "that one",
    "the one in the middle", "take the first one", "the second please", "i'd like the last one", "the next one",
    "both", "both of them", "all of them", "either one", "any of them", "the top one", "the bottom one",
    "let's take the second", "the first one please", "this one",
)  # fmt: skip
_CHOICES: Final = ("which one", "which one do you mean", "i found several", "which of them", "did you mean")
_ENDINGS: Final = ("please", "thanks", "thank you")

_NONSENSE: Final = (
    "the and of it was", "so then she said no to him", "and that's why we never go there",
    "coming up after the break", "i told you that already yesterday", "he scores and the crowd goes wild",
    "we'll be right back after this message", "yeah but then again who knows",
    "because they didn't have any left", "where did i put my glasses", "i love you too", "it is what it is",
    "can you believe what he did", "not in front of the children", "you should have seen her face",
    "that was a great game last night", "mommy look what i made", "did you feed the hamster at school",
    "ha ha ha", "la la la la", "the quick brown fox", "tonight on channel news a shocking report",
    "buy one get one free", "my name is inigo montoya", "she lives next to the old mill",
    "put your shoes on we are late", "mind the gap", "who wants to be a millionaire final answer",
    "i'm going to the bathroom", "are you coming or not", "what a mess", "they're saying it could take years",
    "don't touch that it's hot", "in the beginning there was nothing", "and uh", "to be or not to be",
    "sit down and eat your vegetables", "i can't believe it's already friday", "bless you",
)  # fmt: skip


class DialogueSampler:
    """Makes answers for the intents of a `PackSampler`."""

    def __init__(self, packs: PackSampler, random_: random.Random) -> None:
        self._packs = packs
        self._random = random_

    def answers(self, per_slot: int) -> Iterator[Example]:
        """For each intent and slot: `per_slot` answers to its question and half as many corrections."""
        for intent, (pack, spec) in self._packs.intents.items():
            for slot, slot_spec in spec.slots.items():
                type_ = spec.slot_type(slot)
                if slot_spec.ask:
                    for _ in range(per_slot):
                        yield self._filled(intent, pack, spec, type_, words(slot_spec.ask), Act.INFORM)
                for _ in range(per_slot // 2 if slot_spec.required or slot_spec.ask else per_slot // 6):
                    context = self._said_before(intent, pack, spec)
                    yield self._filled(intent, pack, spec, type_, context, Act.CORRECT)

    def acts(self, count: int) -> Iterator[Example]:
        """About `count` each of yes, no, cancel, again and selections, most of them in a context."""
        pending = [
            i for i, (_, spec) in self._packs.intents.items() if spec.confirm or any(s.ask for s in spec.slots.values())
        ]
        confirmed = [i for i, (_, spec) in self._packs.intents.items() if spec.confirm]
        for _ in range(count if pending else 0):
            for act, phrases in ((Act.AFFIRM, _AFFIRM), (Act.DENY, _DENY)):
                asked = confirmed if confirmed and self._random.random() < 0.7 else pending
                yield self._act(phrases, act, self._random.choice(asked))
            yield self._act(_CANCEL, Act.CANCEL, self._random.choice(pending), "system.cancel")
            yield self._act(_REPEAT, Act.REPEAT, self._random.choice(pending), "system.repeat")
            yield self._select(self._random.choice(pending))

    def nonsense(self, corpus: Sequence[Example], count: int) -> Iterator[Example]:
        """Talk that is not meant for the device: fragments of sentences, word salad, television."""
        for text in _NONSENSE:
            yield Example(words(text), OOS, source=SOURCE)
        vocabulary = sorted({word for example in corpus for word in example.words})
        for _ in range(count):
            if self._random.random() < 0.5:
                said: Sequence[str] = self._random.sample(vocabulary, self._random.randint(2, 7))
            else:
                first, second = self._random.sample(list(corpus), 2)
                said = [*first.words[-3:], *second.words[:3]]
            yield Example(tuple(said), OOS, source=SOURCE)

    def in_context(self, examples: Sequence[Example], rate: float) -> Iterator[Example]:
        """The same sentences, a share of them said after some question or reply of the device."""
        intents = list(self._packs.intents.items())
        for example in examples:
            if not example.context and self._random.random() < rate:
                intent, (pack, spec) = self._random.choice(intents)
                context = self._said_before(intent, pack, spec)
                yield Example(
                    example.words,
                    example.intent,
                    example.act,
                    example.spans,
                    example.annotated,
                    context,
                    example.source,
                )
            else:
                yield example

    def _filled(
        self, intent: str, pack: Pack, spec: IntentSpec, type_: str, context: tuple[str, ...], act: Act
    ) -> Example:
        """An utterance around one value; `{}` is the value, `{0}` the wrong one that is taken back."""
        value, wrong = self._packs.value(type_, pack), self._packs.value(type_, pack)
        if act is Act.INFORM:
            frame = self._random.choice(
                _ANSWERS.get(type_, _ANY_ANSWER) if self._random.random() < 0.75 else _ANY_ANSWER
            )
        else:
            frame = self._random.choice(_CORRECTIONS)
        said: list[str] = []
        start = 0
        for part in frame.split():
            if part == "{}":
                start = len(said)
                said += value
            else:
                said += wrong if part == "{0}" else (part,)
        if self._random.random() < 0.1:
            said.append(self._random.choice(_ENDINGS[:1]))
        spans = (Span(type_, start, start + len(value)),)
        return Example(tuple(said), intent, act, spans, context=context, source=SOURCE)

    def _act(self, phrases: Sequence[str], act: Act, pending: str, own: str = "") -> Example:
        """A short answer while `pending` waits; its intent is its `own`, if the packs have that, or the pending one."""
        pack, spec = self._packs.intents[pending]
        alone = own if own in self._packs.intents else None
        intent = alone if own else pending
        said = list(words(self._random.choice(phrases)))
        if self._random.random() < 0.15:
            said += words(self._random.choice(_ENDINGS))
        if self._random.random() < 0.15:
            said = [self._random.choice(("um", "oh", "well", "uh")), *said]
        if self._random.random() < 0.15:
            return Example(tuple(said), alone, act, source=SOURCE)
        return Example(tuple(said), intent, act, context=self._question(pack, spec), source=SOURCE)

    def _select(self, pending: str) -> Example:
        pack, spec = self._packs.intents[pending]
        said = words(self._random.choice(_SELECT))
        if self._random.random() < 0.5:
            return Example(said, pending, Act.SELECT, context=self._question(pack, spec), source=SOURCE)
        type_ = self._random.choice([spec.slot_type(slot) for slot in spec.slots] or ["item"])
        options = [word for _ in range(self._random.randint(2, 3)) for word in self._packs.value(type_, pack)]
        context = (*words(self._random.choice(_CHOICES)), *options)
        return Example(said, pending, Act.SELECT, context=context, source=SOURCE)

    def _question(self, pack: Pack, spec: IntentSpec) -> tuple[str, ...]:
        asks = [s.ask for s in spec.slots.values() if s.ask] + [spec.confirm] * (2 if spec.confirm else 0)
        return self._packs.fill(self._random.choice(asks), spec, pack)

    def _said_before(self, intent: str, pack: Pack, spec: IntentSpec) -> tuple[str, ...]:
        """Something that the device says about an intent: a reply, a question."""
        replies = [
            text
            for variants in spec.replies.values()
            for text in ([variants] if isinstance(variants, str) else variants)
        ]
        asks = [s.ask for s in spec.slots.values() if s.ask] + ([spec.confirm] if spec.confirm else [])
        texts = [*replies, *asks]
        return (
            self._packs.fill(self._random.choice(texts), spec, pack) if texts else words(f"okay {intent.split('.')[0]}")
        )
