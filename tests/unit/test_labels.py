import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels import LabelError, LabelSchema

NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True), min_size=1, max_size=6, unique=True)


def test_bio_labels_follow_the_types():
    labels = LabelSchema.of(["timer.start"], ["time", "date"], ["command"])
    assert labels.slot_labels == ("O", "B-date", "I-date", "B-time", "I-time")
    assert labels.intents == ("oos", "timer.start")


def test_a_schema_without_slots_has_one_slot_label():
    assert LabelSchema.of(["greeting"], [], ["command"]).slot_labels == ("O",)


@given(NAMES, NAMES, NAMES)
def test_survives_a_file(tmp_path_factory, intents, types, acts):
    labels = LabelSchema.of(intents, types, acts)
    path = tmp_path_factory.mktemp("labels") / "labels.json"
    labels.write(path)
    assert LabelSchema.read(path) == labels
    assert LabelSchema.read(path).ontology == labels.ontology


def test_ontology_ignores_the_order_of_packs_but_not_of_acts():
    one = LabelSchema.of(["b.x", "a.x"], ["time", "date"], ["inform", "command"])
    assert one.ontology == LabelSchema.of(["a.x", "b.x"], ["date", "time"], ["inform", "command"]).ontology
    assert one.ontology != LabelSchema.of(["b.x", "a.x"], ["time", "date"], ["command", "inform"]).ontology
    assert one.ontology != LabelSchema.of(["b.x"], ["time", "date"], ["inform", "command"]).ontology


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b'{"intents": [], "slot_types": ["time"], "acts": ["command"]}',
        b'{"intents": ["a.b"], "slot_types": ["time"], "acts": ["command"]}',  # no oos
        b'{"intents": ["oos", "oos"], "slot_types": ["time"], "acts": ["command"]}',
        b'{"intents": ["oos", "../x"], "slot_types": ["time"], "acts": ["command"]}',
        b'{"intents": ["oos"], "slot_types": ["time"], "acts": ["command"], "more": 1}',
    ],
)
def test_refuses_what_is_not_a_schema(tmp_path, text):
    path = tmp_path / "labels.json"
    path.write_bytes(text)
    with pytest.raises(LabelError, match=r"labels\.json"):
        LabelSchema.read(path)


def test_names_a_missing_file(tmp_path):
    with pytest.raises(LabelError, match="can't be read"):
        LabelSchema.read(tmp_path / "labels.json")
