"""Which span fills which slot."""

from device.nlu.onnx_model import SlotSpan
from device.nlu.pack import IntentSpec, SlotSpec
from device.nlu.roles import assign

ADD = IntentSpec(slots={"item": SlotSpec(), "list": SlotSpec()})
CONVERT = IntentSpec(slots={"amount": SlotSpec(), "from": SlotSpec(type="unit"), "to": SlotSpec(type="unit")})


def test_each_type_has_its_slot() -> None:
    assert assign(ADD, [SlotSpan("list", 4, 5, 0.9), SlotSpan("item", 1, 2, 0.9)]) == {"item": (1, 2), "list": (4, 5)}


def test_what_no_slot_takes_is_left_out() -> None:
    assert assign(ADD, [SlotSpan("color", 0, 1, 0.9)]) == {}


def test_spans_left_over_extend_the_last() -> None:
    assert assign(ADD, [SlotSpan("item", 1, 2, 0.9), SlotSpan("item", 3, 4, 0.9)]) == {"item": (1, 4)}


def test_several_slots_of_a_type_are_filled_in_their_order() -> None:
    # convert five miles to kilometers
    spans = [SlotSpan("amount", 1, 2, 0.9), SlotSpan("unit", 2, 3, 0.9), SlotSpan("unit", 4, 5, 0.9)]
    assert assign(CONVERT, spans) == {"amount": (1, 2), "from": (2, 3), "to": (4, 5)}


def test_from_goes_with_the_quantity() -> None:
    # how many miles are five kilometers
    spans = [SlotSpan("unit", 2, 3, 0.9), SlotSpan("amount", 4, 5, 0.9), SlotSpan("unit", 5, 6, 0.9)]
    assert assign(CONVERT, spans) == {"amount": (4, 5), "from": (5, 6), "to": (2, 3)}
