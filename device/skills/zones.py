"""Cities and countries to time zones, from the system's own tz database.

Cities come from the zones' names, countries of one zone (or of one for "most of" it or its mainland) from `zone.tab`
and `iso3166.tab` (https://data.iana.org/time-zones/theory.html). What people say besides is in `_ALSO`.
"""

from __future__ import annotations

import importlib.util
import zoneinfo
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from device.nlu.text import spoken
from device.skills.common import closest

_ALSO: Final[Mapping[str, str]] = {
    "Africa/Johannesburg": "south africa, cape town, durban, pretoria",
    "America/Chicago": "texas, houston, dallas, austin, san antonio, minneapolis, new orleans, saint louis, memphis, "
    "nashville, kansas city, milwaukee, central time",
    "America/Denver": "colorado, salt lake city, utah, new mexico, albuquerque, mountain time",
    "America/Los_Angeles": "san francisco, seattle, california, san diego, las vegas, portland, oregon, sacramento, "
    "san jose, oakland, silicon valley, l a, hollywood, pacific time",
    "America/New_York": "boston, washington, washington d c, miami, philadelphia, atlanta, florida, new york city, "
    "n y c, usa, the us, u s a, united states, the states, america, baltimore, pittsburgh, cleveland, charlotte, "
    "orlando, tampa, brooklyn, manhattan, georgia, eastern time",
    "America/Phoenix": "arizona",
    "America/Sao_Paulo": "rio, rio de janeiro, brasilia, brazil",
    "America/Mexico_City": "mexico",
    "America/Toronto": "ottawa, montreal, quebec, canada",
    "America/Argentina/Buenos_Aires": "argentina",
    "Asia/Dubai": "abu dhabi, emirates, uae, u a e",
    "Asia/Ho_Chi_Minh": "hanoi, saigon, vietnam",
    "Asia/Kolkata": "mumbai, delhi, new delhi, bangalore, bengaluru, chennai, hyderabad, bombay, calcutta, pune",
    "Asia/Karachi": "islamabad, lahore",
    "Asia/Riyadh": "mecca, jeddah, medina",
    "Asia/Seoul": "korea, south korea, busan",
    "Asia/Jakarta": "indonesia, java",
    "Asia/Almaty": "kazakhstan",
    "Asia/Kuala_Lumpur": "malaysia",
    "Asia/Tashkent": "uzbekistan",
    "Asia/Nicosia": "cyprus",
    "Asia/Shanghai": "china, beijing, peking, shenzhen, guangzhou, wuhan, chengdu",
    "Asia/Tokyo": "osaka, kyoto, nagoya, sapporo, fukuoka, yokohama",
    "Atlantic/Reykjavik": "iceland",
    "Australia/Sydney": "australia, canberra",
    "Europe/Berlin": "munich, hamburg, frankfurt, cologne, stuttgart, dusseldorf, leipzig",
    "Europe/Istanbul": "ankara",
    "Europe/Kyiv": "kiev, ukraine",
    "Europe/London": "united kingdom, england, scotland, wales, uk, u k, britain, great britain, manchester, "
    "edinburgh, glasgow, liverpool, birmingham, leeds, bristol, cardiff, belfast, oxford, cambridge",
    "Europe/Madrid": "barcelona, valencia, seville, spain",
    "Europe/Moscow": "saint petersburg, russia",
    "Europe/Paris": "lyon, marseille, nice, toulouse, bordeaux",
    "Europe/Rome": "milan, naples, florence, venice, turin",
    "Europe/Zurich": "geneva, bern, basel",
    "Europe/Amsterdam": "rotterdam, the hague, holland",
    "Europe/Prague": "czech republic, brno",
    "Pacific/Auckland": "wellington, new zealand",
    "Pacific/Honolulu": "hawaii",
    "UTC": "utc, u t c, gmt, g m t, greenwich",
}
"""Where the tz database has no name of its own for what people say."""

_REGIONS: Final = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


def zone_of(place: str) -> ZoneInfo | None:
    """The time zone of a city or a country, or None if it is not known.

    A name must be exact or misheard by a letter: the zone of a wrong city would be a wrong answer.
    """
    names = _places()
    said = spoken(place).removeprefix("the ")
    if said in names:
        return ZoneInfo(names[said])
    known = list(names)
    position = closest(said, known, parts=False, cutoff=88.0) if len(said) > 4 else None
    return None if position is None else ZoneInfo(names[known[position]])


@cache
def _places() -> Mapping[str, str]:
    """Spoken name to zone key; particular names win over general ones."""
    places = dict(_countries())
    for key in sorted(zoneinfo.available_timezones()):
        region, _, city = key.rpartition("/")
        if region.partition("/")[0] in _REGIONS:
            places[spoken(city.replace("_", " "))] = key
    for key, names in _ALSO.items():
        places |= dict.fromkeys(names.split(", "), key)
    return places


def _countries() -> Iterator[tuple[str, str]]:
    names = dict(line.split("\t")[:2] for line in _table("iso3166.tab"))
    rows = [[*line.split("\t"), ""] for line in _table("zone.tab")]
    zones = Counter(row[0] for row in rows)
    for code, _, zone, comment, *_ in rows:
        if zones[code] == 1 or comment.startswith("most of") or "mainland" in comment:
            yield spoken(names[code].partition(" (")[0]), zone


def _table(name: str) -> list[str]:
    """Lines of a table of the tz database: the system's, else that of the package `tzdata`."""
    folders = [Path(folder) for folder in zoneinfo.TZPATH]
    package = importlib.util.find_spec("tzdata")
    if package and package.origin:
        folders.append(Path(package.origin).parent / "zoneinfo")
    for folder in folders:
        if (folder / name).is_file():
            lines = (folder / name).read_text(encoding="utf-8").splitlines()
            return [line for line in lines if line and not line.startswith("#")]
    return []
