"""What pages may say, and what they are told."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import BadInput
from firmware_sim.web import messages
from firmware_sim.web.messages import State, read_order


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ('{"type": "say", "text": "hello"}', messages.Say("hello")),
        ('{"type": "press"}', messages.Press()),
        ('{"type": "plug", "on": false}', messages.Plug(False)),
        ('{"type": "volume", "level": 100}', messages.SetVolume(100)),
        ('{"type": "fault", "name": "flash_full", "on": true}', messages.Fault("flash_full", True)),
        ('{"type": "step_clock", "seconds": -3600}', messages.StepClock(-3600)),
    ],
)
def test_orders(text: str, order: messages.Order) -> None:
    assert read_order(text) == order


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"type": "explode"}',
        '{"type": "say"}',
        '{"type": "say", "text": ""}',
        '{"type": "say", "text": "' + "x" * 501 + '"}',
        '{"type": "volume", "level": 101}',
        '{"type": "volume", "level": "loud"}',
        '{"type": "fault", "name": "meteorite", "on": true}',
        '{"type": "press", "hard": true}',
        '{"type": "step_clock", "seconds": 1e9}',
    ],
)
def test_what_is_no_order_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadInput, match="That message can't be used") as refused:
        read_order(text)
    assert refused.value.remedy


@given(st.text())
def test_no_text_breaks_the_door(text: str) -> None:
    with pytest.raises(BadInput):
        read_order(text)


def test_only_what_changed_is_told() -> None:
    before = State(1.0, power="off", volume=None, lists={})
    assert before.since(State(0.0, power="off", volume=None, lists={})) is None
    after = State(2.0, power="on", volume=None, lists={})
    changed = after.since(before)
    assert changed is not None
    assert msgspec.json.decode(msgspec.json.encode(changed)) == {"type": "state", "now": 2.0, "power": "on"}
