"""What the light shows in every state of the machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lights import NoLights, Pattern, pattern
from device.turns import Phase, TurnState

STATES = st.builds(
    TurnState,
    phase=st.sampled_from(Phase),
    ringing=st.booleans(),
    muted=st.booleans(),
    switched_off=st.booleans(),
    deaf=st.booleans(),
)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (TurnState(), Pattern.OFF),
        (TurnState(Phase.LISTENING), Pattern.LISTENING),
        (TurnState(Phase.THINKING), Pattern.THINKING),
        (TurnState(Phase.SPEAKING, muted=True), Pattern.SPEAKING),
        (TurnState(Phase.FOLLOW_UP), Pattern.FOLLOW_UP),
        (TurnState(ringing=True, switched_off=True), Pattern.RINGING),
        (TurnState(switched_off=True, deaf=True), Pattern.MUTED),
        (TurnState(deaf=True), Pattern.DEAF),
    ],
)
def test_what_is_shown(state: TurnState, shown: Pattern) -> None:
    assert pattern(state) is shown


@given(STATES)
def test_a_device_at_rest_that_would_not_hear_never_looks_as_if_it_would(state: TurnState) -> None:
    if state.phase is Phase.IDLE and (state.closed or state.deaf):
        assert pattern(state) in (Pattern.MUTED, Pattern.DEAF, Pattern.RINGING)


@given(STATES)
def test_listening_is_always_shown(state: TurnState) -> None:
    assert (pattern(state) is Pattern.LISTENING) == (state.phase is Phase.LISTENING)


def test_a_device_without_a_light_shows_nothing() -> None:
    NoLights().show(Pattern.LISTENING)
