"""Sentences that are none of the device's business, read where they are: what other gadgets are told, prose, talk."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from device.errors import BadInput, Missing
from device.skills.wordnet import PARTS, PLACES

CLINC: Final = frozenset(
    """account_blocked application_status apr balance bill_balance bill_due book_flight book_hotel cancel_reservation
    car_rental card_declined carry_on confirm_reservation credit_limit credit_limit_change credit_score damaged_card
    direct_deposit directions expiration_date flight_status freeze_account gas how_busy improve_credit_score income
    insurance insurance_change interest_rate international_fees jump_start last_maintenance lost_luggage make_call
    min_payment mpg new_card oil_change_how oil_change_when order order_checks order_status pay_bill payday pin_change
    pto_balance pto_request pto_request_status pto_used redeem_rewards replacement_card_duration report_fraud
    report_lost_card restaurant_reservation restaurant_reviews rewards_balance rollover_401k routing
    schedule_maintenance share_location spending_history taxes text tire_change tire_pressure traffic transactions
    transfer translate travel_alert travel_notification uber vaccines w2""".split()
)
"""Intents of CLINC150 (Larson et al. 2019, CC BY 3.0) that no built-in pack has: banking, travel, cars, work, calls."""

HWU64: Final = frozenset(
    """cooking_recipe email_addcontact email_query email_querycontact email_sendemail play_game qa_stock
    recommendation_events recommendation_locations social_post social_query takeaway_order takeaway_query
    transport_query transport_taxi transport_ticket transport_traffic""".split()
)
"""Intents of HWU64 (Liu et al. 2019, CC BY 4.0) and of SLURP, which shares its names, that no built-in pack has."""

_WORDS: Final = (4, 24)
"""Fewest and most words of a sentence: a word or two may well be a command."""

_QUOTED: Final = re.compile(r'"([^"]+)"')
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z ,;'-]+[.!?]?")


@dataclass(frozen=True, slots=True)
class Texts:
    """What is said where no gadget is spoken to, each sentence once, sorted.

    Attributes:
        commands: What other gadgets are told and asked.
        prose: Definitions: long phrases as of somebody who reads aloud.
        talk: Whole sentences as of people who converse.
    """

    commands: tuple[str, ...]
    prose: tuple[str, ...]
    talk: tuple[str, ...]


def read_texts(data: Path) -> Texts:
    """All foreign sentences that are there.

    Args:
        data: Folder with `clinc150`, `nlu-evaluation-data` and `slurp` in their upstream layout; one may lack.

    Raises:
        BadInput: The folder has none of them, or one is not of its form.
        Missing: WordNet's files are not installed.
    """
    try:
        commands = _once([*_clinc(data), *_hwu64(data), *_slurp(data)])
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise BadInput(f"A data set in {data} is not of its form: {error}.", remedy="Fetch it again.") from error
    if not commands:
        raise BadInput(
            f"{data} holds none of the data sets.", remedy="Put clinc150, nlu-evaluation-data or slurp there."
        )
    glosses = list(_glosses())
    return Texts(
        commands,
        _once(gloss.split("; ")[0] for gloss in glosses),
        _once(example for gloss in glosses for example in _QUOTED.findall(gloss)),
    )


def _clinc(data: Path) -> Iterator[str]:
    path = data / "clinc150" / "data_full.json"
    if not path.exists():
        return
    sets: Mapping[str, list[tuple[str, str]]] = json.loads(path.read_text(encoding="utf-8"))
    for text, intent in (row for rows in sets.values() for row in rows):
        if intent in CLINC or intent == "oos":
            yield text


def _hwu64(data: Path) -> Iterator[str]:
    for path in sorted((data / "nlu-evaluation-data").rglob("KFold_1/testset/csv/*.csv")):
        if path.stem in HWU64:
            with path.open(encoding="utf-8", newline="") as file:
                yield from (row["answer_from_anno"] for row in csv.DictReader(file, delimiter=";"))


def _slurp(data: Path) -> Iterator[str]:
    path = data / "slurp" / "dataset" / "slurp" / "devel.jsonl"
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        said: Mapping[str, Any] = json.loads(line)
        if said["intent"] in HWU64:
            yield said["sentence"]


def _glosses() -> Iterator[str]:
    """What stands behind the bar of each line of data: a definition, and examples in quotes."""
    folder = next((place for place in PLACES if (place / "data.noun").exists()), None)
    if folder is None:
        raise Missing("WordNet is not installed.", remedy="Run: sudo apt install wordnet-base")
    for part in PARTS:
        for line in (folder / f"data.{part}").read_text(encoding="utf-8", errors="replace").splitlines():
            if not line.startswith(" "):
                yield line.partition("| ")[2].strip()


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    """Plain sentences of a fit length, sorted, so that the order does not hang on the files'."""
    fit = {
        text.strip().rstrip(".!?").lower(): text.strip()
        for text in texts
        if _PLAIN.fullmatch(text.strip()) and _WORDS[0] <= len(text.split()) <= _WORDS[1]
    }
    return tuple(fit[key] for key in sorted(fit))
