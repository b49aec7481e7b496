"""What leaves a device: no name, number, address or message."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import Missing
from device.feedback.redact import Redactor, in_dictionary
from device.nlu.pack import PACKS_DIR, Pack, load_packs
from device.skills.wordnet import find_wordnet

DICTIONARY = {"dial", "pin", "cosy", "oven", "trip", "feels", "scullery", "bank", "open"}
HOUSEHOLD = {
    "person": ("priya", "rose"),
    "room": ("kitchen", "emmas den"),
    "light.device": ("reading lamp",),
    "device": ("reading lamp", "qubo"),
    "scene": ("away", "zorbas"),
}


@pytest.fixture(scope="module")
def redact() -> Redactor:
    return Redactor(load_packs(PACKS_DIR), HOUSEHOLD, DICTIONARY.__contains__)


@pytest.mark.parametrize(
    ("heard", "slots", "told"),
    [
        ("make it cosy in the kitchen", (), "make it cosy in the {room}"),
        ("Turn on the reading lamp, Rose", (), "turn on the {device} {person}"),
        ("tell Priya's friend", (), "tell {withheld} friend"),
        ("turn on qubo in emmas den", (), "turn on {device} in {room}"),
        ("put it away", (), "put it away"),
        ("it's zorbas time", (), "it's {withheld} time"),
        ("my pin is four seven one one", (), "my pin is {withheld}"),
        ("my pin is 4711", (), "my pin is {withheld}"),
        ("dial +49 171 2345678 now", (), "dial {withheld} now"),
        ("write to bob@example.com about the trip", (), "write to {withheld} about the trip"),
        ("open www.my-bank.com", (), "open {withheld}"),
        ("set it to 25 or so", (), "set it to {number} or so"),
        ("play this one again", (), "play this one again"),
        ("ring Uncle Ottokar about the Lisbon trip", (), "ring {withheld} about the {withheld} trip"),
        ("call open", (), "call {withheld}"),
        ("my name is open", (), "my name is {withheld}"),
        ("The Oven feels open", (), "the {withheld} feels open"),
        ("THE OVEN FEELS OPEN", (), "the oven feels open"),
        ("it feels like an oven on Monday", (), "it feels like an oven on monday"),
        ("is carol open", (), "is {withheld} open"),
        ("crème brûlée trip", (), "{withheld} trip"),
        ("set a timer for ten minutes", [("duration", "ten minutes")], "set a timer for {duration}"),
        ("play play by play", [("title", "play by play")], "play {title}"),
        (
            "remind me at 7 to send it to Ngozi at +49 171 2345678",
            [
                ("time", "seven"),
                (
                    "message",
                    "send it to ngozi at plus forty nine one hundred seventy one two million three hundred forty five "
                    "thousand six hundred seventy eight",
                ),
            ],
            "remind me at {time} to {message}",
        ),
        ("okay nabu, uh, open the scullery please", (), "open the scullery"),
    ],
)  # fmt: skip
def test_what_is_told(redact: Redactor, heard: str, slots: Sequence[tuple[str, str]], told: str) -> None:
    assert " ".join(redact(heard, slots)) == told


def test_a_household_name_is_a_slot_only_where_such_a_slot_can_be(redact: Redactor) -> None:
    assert " ".join(redact("open the kitchen", (), ["device"])) == "open the kitchen"
    assert " ".join(redact("open emmas den", (), ["device"])) == "open {withheld}"
    assert " ".join(redact("open rose", (), ["device"])) == "open {withheld}"


SECRET = st.one_of(
    st.from_regex(r"zq[a-z]{3,10}", fullmatch=True),
    st.from_regex(r"Q[a-z]{3,10}", fullmatch=True).map(lambda name: f"zz{name}"),
    st.from_regex(r"[a-z]{3,8}zq@[a-z]{3,8}\.(com|org|de)", fullmatch=True),
    st.from_regex(r"\+?[1-9][0-9]{5,12}", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{2,3}[ -][0-9]{3,4}[ -][0-9]{3,4}", fullmatch=True),
    st.sampled_from(["Giovanni", "schneider", "ngozi", "fatima", "johnson"]),
)
PLAIN = st.sampled_from("turn on the light in my room please what about it tell is for".split())


@given(st.lists(st.one_of(PLAIN, SECRET.map(lambda word: f"\0{word}")), min_size=1, max_size=12))
def test_no_secret_leaves(parts: list[str]) -> None:
    redact = _REDACT
    told = redact(" ".join(part.removeprefix("\0") for part in parts), ())
    plain = {part for part in parts if not part.startswith("\0")}
    assert {word for word in told if not word.startswith("{")} <= plain
    assert set(told) - plain <= {"{withheld}", "{number}"}


_REDACT = Redactor([Pack("empty")], {}, lambda word: False)


def test_the_dictionary_knows_words_but_no_proper_names() -> None:
    try:
        wordnet = find_wordnet()
    except Missing:
        pytest.skip("WordNet is not installed")
    assert all(in_dictionary(wordnet, word) for word in ("cosy", "illuminate", "lights", "rose"))
    assert not any(in_dictionary(wordnet, word) for word in ("london", "ottokar", "lisbon", "zqx"))
