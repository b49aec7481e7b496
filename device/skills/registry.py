"""Which skill serves which pack: our own modules, third parties' entry points, else the pack alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from device.errors import PackError
from device.nlu.pack import Pack
from device.plugged import entry_points
from device.skills import (
    alarm,
    announce,
    calendar,
    climate,
    cover,
    date,
    fact,
    feedback,
    light,
    list,
    lock,
    math,
    media,
    note,
    offline,
    phrase,
    privacy,
    profile,
    random,
    recommend,
    reminder,
    scene,
    smalltalk,
    switch,
    system,
    time,
    timer,
    tv,
    unit,
    vacuum,
    volume,
    word,
)
from device.skills.api import Services, Skill
from device.skills.declared import PackSkill

Builder: TypeAlias = Callable[[Services], Skill]

GROUP: Final = "homebody.skills"
"""Entry points of third parties: the name is the skill's, the object a `Builder`."""

BUILT_IN: Final[Mapping[str, Builder]] = {
    "alarm": alarm.build,
    "announce": announce.build,
    "calendar": calendar.build,
    "climate": climate.build,
    "cover": cover.build,
    "currency": offline.build_currency,
    "date": date.build,
    "fact": fact.build,
    "feedback": feedback.build,
    "light": light.build,
    "list": list.build,
    "lock": lock.build,
    "math": math.build,
    "media": media.build,
    "news": offline.build_news,
    "note": note.build,
    "phrase": phrase.build,
    "privacy": privacy.build,
    "profile": profile.build,
    "random": random.build,
    "recommend": recommend.build,
    "reminder": reminder.build,
    "scene": scene.build,
    "smalltalk": smalltalk.build,
    "switch": switch.build,
    "system": system.build,
    "time": time.build,
    "timer": timer.build,
    "tv": tv.build,
    "unit": unit.build,
    "vacuum": vacuum.build,
    "volume": volume.build,
    "weather": offline.build_weather,
    "word": word.build,
}


def build_skills(services: Services, packs: Sequence[Pack]) -> Mapping[str, Skill]:
    """One skill for every pack that has intents, by name. An entry point takes the place of a built-in skill.

    Raises:
        PackError: An entry point can't be loaded.
    """
    services = replace(services, packs=tuple(packs))
    builders = {**BUILT_IN, **_third_parties({pack.skill for pack in packs})}
    skills: dict[str, Skill] = {}
    for pack in packs:
        if pack.intents:
            build = builders.get(pack.skill)
            skills[pack.skill] = build(services) if build else PackSkill(pack)
    return skills


def _third_parties(wanted: set[str]) -> Mapping[str, Builder]:
    builders: dict[str, Builder] = {}
    for point in entry_points(group=GROUP):
        if point.name in wanted:
            try:
                builders[point.name] = point.load()
            except Exception as error:
                raise PackError(
                    f"The skill {point.name} of {point.value} can't be loaded: {error}.", remedy="Update or remove it."
                ) from error
    return builders
