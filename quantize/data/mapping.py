"""From the corpora's labels to ours: which of their intents and slot types mean which of ours.

Where one of their intents covers several of ours, the words decide (`_REFINE`). Where a sentence means none of
ours it teaches *out of scope*; where it could be argued either way it is left out (`None`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from device.nlu.types import OOS, Act
from quantize.data.corpora import Raw
from quantize.data.example import Example, Span

HWU_INTENTS: Final[Mapping[str, str]] = {
    "alarm_query": "alarm.query",
    "alarm_remove": "alarm.cancel",
    "alarm_set": "alarm.set",
    "audio_volume_down": "volume.down",
    "audio_volume_mute": "volume.mute",
    "audio_volume_up": "volume.up",
    "calendar_query": "calendar.query",
    "calendar_remove": "calendar.remove",
    "calendar_set": "calendar.add",
    "datetime_convert": "time.convert",
    "datetime_query": "date.query",
    "general_commandstop": "system.stop",
    "general_explain": "system.repeat",
    "general_joke": "joke.tell",
    "general_negate": "feedback.wrong",
    "general_praise": "smalltalk.thanks",
    "general_repeat": "system.repeat",
    "general_greet": "smalltalk.greet",
    "iot_cleaning": "vacuum.start",
    "iot_hue_lightchange": "light.set",
    "iot_hue_lightdim": "light.dim",
    "iot_hue_lightoff": "light.off",
    "iot_hue_lighton": "light.on",
    "iot_hue_lightup": "light.brighten",
    "iot_wemo_off": "switch.off",
    "iot_wemo_on": "switch.on",
    "lists_createoradd": "list.add",
    "lists_query": "list.query",
    "lists_remove": "list.remove",
    "music_likeness": "media.like",
    "music_query": "media.query",
    "music_settings": "media.shuffle",
    "news_query": "news.query",
    "play_audiobook": "media.play",
    "play_music": "media.play",
    "play_podcasts": "media.play",
    "play_radio": "media.play",
    "qa_currency": "currency.convert",
    "qa_definition": "word.define",
    "qa_factoid": "fact.ask",
    "qa_maths": "math.compute",
    "recommendation_movies": "recommend.watch",
    "weather_query": "weather.query",
}
"""HWU64 and SLURP; what is not here (e-mail, taxis, take-away, coffee, small talk of every kind) is out of scope."""

CLINC_INTENTS: Final[Mapping[str, str]] = {
    "alarm": "alarm.set",
    "are_you_a_bot": "system.identity",
    "calculator": "math.compute",
    "calendar": "calendar.query",
    "calendar_update": "calendar.add",
    "cancel": "system.cancel",
    "change_volume": "volume.set",
    "date": "date.query",
    "definition": "word.define",
    "exchange_rate": "currency.convert",
    "flip_coin": "random.pick",
    "fun_fact": "fact.ask",
    "goodbye": "smalltalk.goodbye",
    "greeting": "smalltalk.greet",
    "how_old_are_you": "system.identity",
    "measurement_conversion": "unit.convert",
    "meeting_schedule": "calendar.query",
    "next_song": "media.next",
    "play_music": "media.play",
    "reminder": "reminder.query",
    "reminder_update": "reminder.set",
    "repeat": "system.repeat",
    "roll_dice": "random.pick",
    "schedule_meeting": "calendar.add",
    "shopping_list": "list.query",
    "shopping_list_update": "list.add",
    "spelling": "word.spell",
    "tell_joke": "joke.tell",
    "thank_you": "smalltalk.thanks",
    "time": "time.query",
    "timer": "timer.start",
    "timezone": "time.query",
    "todo_list": "list.query",
    "todo_list_update": "list.add",
    "weather": "weather.query",
    "what_can_i_ask_you": "system.help",
    "what_is_your_name": "system.identity",
    "what_song": "media.query",
    "where_are_you_from": "system.identity",
    "who_do_you_work_for": "system.identity",
    "who_made_you": "system.identity",
}
"""CLINC150; the other intents (banking, travel, cooking, cars, work) and its own `oos` are out of scope."""

SNIPS_INTENTS: Final[Mapping[str, str]] = {"PlayMusic": "media.play", "GetWeather": "weather.query"}

LEFT_OUT: Final = {
    ("clinc150", "next_holiday"): "between date.query and a work calendar",
    ("clinc150", "maybe"): "neither yes nor no",
    ("hwu64", "general_dontcare"): "neither yes nor no",
    ("slurp", "general_dontcare"): "neither yes nor no",
}

ACTS: Final[Mapping[str, Act]] = {"general_affirm": Act.AFFIRM, "yes": Act.AFFIRM, "no": Act.DENY}
"""Corpus intents that are answers: they have an act and no intent of their own."""

INTENT_ACTS: Final[Mapping[str, Act]] = {"system.cancel": Act.CANCEL, "system.repeat": Act.REPEAT}

HWU_TYPES: Final[Mapping[str, str]] = {
    "alarm_type": "name",
    "app_name": "app",
    "artist_name": "artist",
    "audiobook_author": "artist",
    "audiobook_name": "title",
    "color_type": "color",
    "currency_name": "currency",
    "date": "date",
    "definition_word": "word",
    "device_type": "device",
    "general_frequency": "recurrence",
    "house_place": "room",
    "list_name": "list",
    "movie_type": "genre",
    "music_genre": "genre",
    "place_name": "place",
    "playlist_name": "title",
    "podcast_name": "title",
    "radio_name": "title",
    "song_name": "title",
    "time": "time",
    "time_zone": "place",
    "timeofday": "time",
}
SNIPS_TYPES: Final[Mapping[str, str]] = {
    "album": "title",
    "artist": "artist",
    "city": "place",
    "country": "place",
    "genre": "genre",
    "geographic_poi": "place",
    "music_item": "media_type",
    "playlist": "title",
    "service": "app",
    "state": "place",
    "timeRange": "date",
    "track": "title",
}

ANNOTATED: Final[Mapping[str, frozenset[str]]] = {
    "alarm.set": frozenset({"date", "time", "recurrence"}),
    "alarm.cancel": frozenset({"date", "time"}),
    "alarm.query": frozenset({"date", "time"}),
    "calendar.query": frozenset({"date", "time"}),
    "calendar.add": frozenset({"date", "time", "recurrence"}),
    "calendar.remove": frozenset({"date", "time"}),
    "reminder.set": frozenset({"date", "time", "recurrence"}),
    "reminder.query": frozenset({"date", "time"}),
    "reminder.cancel": frozenset({"date", "time"}),
    "light.on": frozenset({"room"}),
    "light.off": frozenset({"room"}),
    "light.dim": frozenset({"room"}),
    "light.brighten": frozenset({"room"}),
    "light.set": frozenset({"room"}),
    "light.color": frozenset({"room", "color"}),
    "switch.on": frozenset({"device", "room"}),
    "switch.off": frozenset({"device", "room"}),
    "vacuum.start": frozenset({"room", "recurrence"}),
    "list.add": frozenset({"list"}),
    "list.query": frozenset({"list"}),
    "list.remove": frozenset({"list"}),
    "list.clear": frozenset({"list"}),
    "media.play": frozenset({"artist", "title", "genre", "app"}),
    "media.query": frozenset({"artist", "title"}),
    "media.like": frozenset({"artist", "genre"}),
    "media.shuffle": frozenset({"artist", "genre"}),
    "time.query": frozenset({"place"}),
    "time.convert": frozenset({"place", "time"}),
    "date.query": frozenset({"date"}),
    "weather.query": frozenset({"date", "place"}),
    "currency.convert": frozenset({"currency"}),
    "word.define": frozenset({"word"}),
}
"""Slot types that HWU64 marks reliably, by our intent; elsewhere (and in CLINC150) it marks none that we use."""

SNIPS_ANNOTATED: Final[Mapping[str, frozenset[str]]] = {
    "media.play": frozenset({"artist", "title", "genre", "app"}),
    "weather.query": frozenset({"date", "time", "place"}),
}

_LENGTH_UNIT = re.compile(r"\b(second|minute|hour)s?\b")
_CLOCK_WORD = re.compile(
    r"\b(am|pm|a m|p m|o'clock|noon|midday|midnight|morning|evening|afternoon|hours?|minutes?|seconds)\b"
)
_PLURAL_DAY = re.compile(r"^((mon|tues|wednes|thurs|fri|satur|sun)days|weekdays|weekends|every\b.*|daily|weekly)$")
_ORDINAL = re.compile(r"(first|second|third|\w+th|\w+ieth)$")


def map_examples(raws: Iterable[Raw]) -> Iterator[Example]:
    """Bring corpus sentences to our labels, leaving out what has no clear label."""
    for raw in raws:
        if raw.words and (example := map_example(raw)):
            yield example


def map_example(raw: Raw) -> Example | None:
    """Bring one corpus sentence to our labels; None if it is left out."""
    if (raw.corpus, raw.intent) in LEFT_OUT:
        return None
    nothing: frozenset[str] = frozenset()
    if act := ACTS.get(raw.intent):
        return Example(raw.words, None, act, annotated=nothing, source=raw.corpus)
    intents = {"clinc150": CLINC_INTENTS, "snips": SNIPS_INTENTS}.get(raw.corpus, HWU_INTENTS)
    mapped: str | None = intents.get(raw.intent, OOS)
    text = " ".join(raw.words)
    for refine in _REFINE.get(raw.intent, ()):
        mapped = refine(text, mapped)
    if mapped is None:
        return None
    act = INTENT_ACTS.get(mapped, Act.COMMAND)
    if mapped == OOS:
        return Example(raw.words, OOS, act, annotated=nothing, source=raw.corpus)
    if raw.corpus == "snips":
        annotated = SNIPS_ANNOTATED[mapped]
        spans = _snips_spans(raw)
    else:
        annotated = ANNOTATED.get(mapped, nothing) if raw.corpus != "clinc150" else nothing
        spans = _hwu_spans(raw, mapped)
    kept = tuple(span for span in spans if span.type in annotated)
    return Example(raw.words, mapped, act, kept, annotated, source=raw.corpus)


def _hwu_spans(raw: Raw, intent: str) -> list[Span]:
    spans: list[Span] = []
    for kind, start, end in raw.slots:
        if type_ := HWU_TYPES.get(kind):
            text = " ".join(raw.words[start:end])
            if type_ == "device" and intent.startswith("light."):
                continue
            if type_ in {"date", "time"} and _PLURAL_DAY.match(text):
                type_ = "recurrence"
            elif type_ == "time" and text in {"tonight", "today", "tomorrow"}:
                type_ = "date"
            elif type_ == "time" and _LENGTH_UNIT.search(text):
                if start and raw.words[start - 1] == "in":
                    start -= 1
                elif not text.startswith("in "):
                    type_ = "duration"
            elif type_ == "date" and start and _opens_date(raw.words[start - 1], raw.words[start]):
                start -= 1
            if type_ == "time" and raw.words[end : end + 1] == ("o'clock",):
                end += 1
            if type_ == "place" and spans and spans[-1].type == "place" and spans[-1].end == start:
                start = spans.pop().start
            spans.append(Span(type_, start, end))
    return _join_times(raw.words, spans)


def _opens_date(before: str, first: str) -> bool:
    """True where a date of ours begins one word earlier: "the [twenty second]", "next [friday]"."""
    return before in {"this", "next", "last"} or (before == "the" and bool(_ORDINAL.search(first)))


def _join_times(words: tuple[str, ...], spans: list[Span]) -> list[Span]:
    """HWU64 writes "[six] in the [morning]" and "[tomorrow] [morning]"; ours are one time and one date."""
    joined: list[Span] = []
    for span in spans:
        before = joined[-1] if joined else None
        between = words[before.end : span.start] if before else ()
        if (
            before
            and span.type == "time"
            and before.type == "time"
            and between in {(), ("in", "the"), ("at",), ("this",)}
        ):
            joined[-1] = Span("time", before.start, span.end)
        elif before and span.type == "time" and before.type == "date" and not between and _daypart(words, span):
            joined[-1] = Span("date", before.start, span.end)
        elif (
            span.type == "time"
            and _daypart(words, span)
            and words[max(0, span.start - 2) : span.start] == ("in", "the")
        ):
            joined.append(Span("time", span.start - 2, span.end))
        elif span.type == "time" and _daypart(words, span) and words[span.start - 1 : span.start] == ("this",):
            joined.append(Span("time", span.start - 1, span.end))
        else:
            joined.append(span)
    return joined


def _daypart(words: tuple[str, ...], span: Span) -> bool:
    return span.end - span.start == 1 and words[span.start] in {"morning", "afternoon", "evening", "night"}


def _snips_spans(raw: Raw) -> list[Span]:
    spans: list[Span] = []
    for kind, start, end in raw.slots:
        if type_ := SNIPS_TYPES.get(kind):
            if type_ == "date" and _CLOCK_WORD.search(" ".join(raw.words[start:end])):
                type_ = "time"
            if type_ == "place" and spans and spans[-1].type == "place" and spans[-1].end == start:
                start = spans.pop().start  # "denver colorado" is one place
            spans.append(Span(type_, start, end))
    return spans


Refine = Callable[[str, str | None], str | None]


def _when(pattern: str, intent: str | None) -> Refine:
    """Use `intent` instead if the pattern is found."""
    compiled = re.compile(pattern)
    return lambda text, mapped: intent if compiled.search(text) else mapped


_LIGHT = r"\b(light|lights|lamp|lamps)\b"
_PLUG = r"\b(plug|plugs|socket|sockets|outlet|wemo|switch)\b"
_NOT_ADD = r"\b(remove|delete|take|erase|scratch|cross|get rid|drop|nuke|clear|off|no longer|wipe|blank|eliminate)\b"
_CLEAR = (
    r"\b(clear|empty|wipe|nuke|list blank|start over|everything|all (of )?(the )?(items|things|tasks|contents))\b"
    r"|^(?!.*\b(from|off|of)\b)(please |can you )?(delete|remove|erase|get rid of|cancel) (my |the |this |that )?"
    r"([\w']+ ){0,3}list( please)?$"
    r"|\blists?$.*\b(called|titled|named)\b"
)
_BOTH = (
    r"\b(add|put|include|need)\b.*\b(remove|delete|take|cross|scratch)\b"
    r"|\b(remove|delete|take|cross|scratch)\b.*\b(add|put|include)\b"
)
_TO_AMOUNT = (
    r"\b(to|at|on) (the )?(a )?(level )?(zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|"
    r"twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|half|max|maximum|minimum|full|medium)\b"
)
_REMINDER = r"\b(remind|reminder|reminders)\b"
_TV = r"\b(tv|television)\b"

_REFINE: Final[Mapping[str, tuple[Refine, ...]]] = {
    "alarm_set": (_when(r"\bsnooze\b", "alarm.snooze"),),
    "audio_volume_mute": (
        _when(r"\bunmute|\b(turn|put) (the )?(sound|volume|audio|speakers?) (back )?on\b", "volume.unmute"),
    ),
    "audio_volume_up": (_when(_TO_AMOUNT, "volume.set"),),
    "audio_volume_down": (_when(_TO_AMOUNT, "volume.set"),),
    "change_volume": (
        _when(r"\b(up|raise|increase|increased|louder|higher|boost|hear you|more volume|amplify)\b", "volume.up"),
        _when(r"\b(down|lower|lowered|decrease|decreased|quieter|reduce|softer|less|quiet)\b", "volume.down"),
        _when(_TO_AMOUNT, "volume.set"),
    ),
    "calendar_set": (_when(_REMINDER, "reminder.set"),),
    "calendar_query": (_when(_REMINDER, "reminder.query"),),
    "calendar_remove": (_when(_REMINDER, "reminder.cancel"),),
    "calendar_update": (_when(r"\b(remove|delete|clear|erase|take|cancel|off|rid|wide open)\b", "calendar.remove"),),
    "datetime_query": (_when(r"\b(time|timezone|o'clock|hour)\b", "time.query"),),
    "general_commandstop": (_when(r"\bcancel\b", "system.cancel"),),
    "general_quirky": (
        _when(
            r"^(who|what) are you\b|\b(tell me about|about) yourself$|^are you (real|human|a robot|a bot)\b",
            "system.identity",
        ),
        _when(r"^(hello|hi|good morning|good evening)( olly)?$", "smalltalk.greet"),
        _when(r"\bhow are you( doing)?( today)?$", "smalltalk.wellbeing"),
    ),
    "greeting": (
        _when(
            r"\b(how (are|is|have|was|do)|how's|how've|are you (ok|okay|well|good|doing)|have you been|life|what's up|"
            r"whats up|what is (up|new)|what's new|what's happening|going|day|things|feeling|doing)\b",
            "smalltalk.wellbeing",
        ),
    ),
    "iot_cleaning": (_when(r"\b(stop|pause|off|cancel)\b", "vacuum.stop"),),
    "iot_hue_lightchange": (
        _when(
            r"\b(color|colors|colour|colours|hue|hues|red|green|blue|yellow|orange|purple|pink|white|violet)\b",
            "light.color",
        ),
        _when(r"\b(dim|dimmer|darker|lower)\b", "light.dim"),
        _when(r"\b(brighter|brighten)\b", "light.brighten"),
    ),
    "iot_hue_lightdim": (_when(rf"\b(set|adjust|change|put)\b.*{_TO_AMOUNT}", "light.set"),),
    "iot_hue_lightup": (_when(rf"\b(set|adjust|change|put)\b.*{_TO_AMOUNT}", "light.set"),),
    "iot_wemo_on": (_when(_LIGHT, "light.on"), _when(_PLUG, "switch.on"), _when(_TV, "tv.on")),
    "iot_wemo_off": (_when(_LIGHT, "light.off"), _when(_PLUG, "switch.off"), _when(_TV, "tv.off")),
    "lists_remove": (_when(_CLEAR, "list.clear"),),
    "shopping_list_update": (_when(_NOT_ADD, "list.remove"), _when(_CLEAR, "list.clear"), _when(_BOTH, None)),
    "todo_list_update": (_when(_NOT_ADD, "list.remove"), _when(_CLEAR, "list.clear"), _when(_BOTH, None)),
    "music_settings": (
        _when(r"\b(repeat|repeating|replay|loop|again)\b", "media.repeat"),
        lambda text, mapped: (
            mapped if re.search(r"\b(shuffle|random|mix|repeat\w*|replay|loop|again)\b", text) else None
        ),
    ),
    "play_audiobook": (
        _when(r"\b(resume|continue|left off|unpause|progress|last (position|spot))\b", "media.resume"),
        _when(r"\b(pause|hold)\b", "media.pause"),
        _when(r"^(please )?(stop|turn off)\b", "media.stop"),
        _when(r"\b(rewind|forward|speed|back|faster|slower|volume)\b", None),
    ),
    "play_podcasts": (
        _when(r"\b(skip|next episode|next one|next podcast)\b", "media.next"),
        _when(r"\b(previous|last episode)\b", "media.previous"),
        _when(r"\b(resume|continue)\b", "media.resume"),
        _when(r"\b(pause)\b", "media.pause"),
        _when(r"\b(rewind|forward|backward|speed|download|subscribe|what are|which|show me|find)\b", None),
    ),
    "recommendation_movies": (
        _when(
            r"\b(theat\w*|cinemas?|near|nearby|nearest|playing|times?|showing|showtimes|tickets?|around|in my area"
            r"|local|plaza|multiplex)\b",
            OOS,
        ),
    ),
    "reminder": (_when(r"\b(remove|delete|cancel|clear)\b", "reminder.cancel"),),
    "reminder_update": (_when(r"\b(remove|delete|cancel|clear)\b", "reminder.cancel"),),
    "schedule_meeting": (_when(r"\bmeeting rooms?\b|^(are|is) there|available", None),),
    "SearchCreativeWork": (_when(r"\b(play|watch|listen|hear)\b", None),),
    "smart_home": (
        lambda text, mapped: None,
        _when(rf"{_LIGHT}.*\bon\b|\bon\b.*{_LIGHT}|^light the", "light.on"),
        _when(rf"\b(dim|dimmer|down|low)\b.*{_LIGHT}|{_LIGHT}.*\b(dim|dimmer|down|low)\b", "light.dim"),
        _when(r"\block\b.*\bdoors?\b", "lock.lock"),
        _when(r"\b(turn|put|switch|get|need|on)\b.*\b(fan|fans|furnace)\b", "switch.on"),
        _when(r"\b(temp|temperature|temperaure)\b.*\bto\b", "climate.set"),
        _when(r"\b(ac|temperature)\b.*\b(at|set to|on|showing|ac)\b|what is the ac", "climate.query"),
        _when(rf"\bon\b.*{_TV}|{_TV}.*\bon\b", "tv.on"),
        _when(r"\b(oven|car|vehicle|furnace on please and)\b", OOS),
        _when(r"\bwho\b|\bcheck who|knocking|persons name|person", OOS),
    ),
    "timer": (
        _when(r"\b(cancel|delete|remove|turn off)\b", "timer.cancel"),
        _when(r"\b(how (much|long)|time left|remaining)\b", "timer.query"),
    ),
}
"""Applied in order after the plain mapping; the last match wins."""
