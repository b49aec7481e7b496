import asyncio
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.ports import FRAME, SAMPLE_RATE
from device.audio.ring import Ring
from device.clock import SystemClock
from firmware_sim.clock import VirtualClock, run


def ramp(start: int, count: int) -> np.ndarray:
    return np.arange(start, start + count).astype(np.int16)


@given(
    actions=st.lists(st.integers(-3, 900), min_size=1, max_size=60),
    capacity=st.integers(1, 2000),
)
@settings(max_examples=80, deadline=None)
def test_what_is_pushed_is_read_once_in_order_or_counted_as_dropped(actions: list[int], capacity: int) -> None:
    """Positive: push that many samples; otherwise read once if something waits."""

    async def main(clock: VirtualClock) -> None:
        ring = Ring(clock, seconds=capacity / SAMPLE_RATE)
        pushed = 0
        got: list[np.ndarray] = []
        for action in actions:
            if action > 0:
                ring.push(ramp(pushed, action))
                pushed += action
            elif ring.pending:
                got.append(await ring.read())
            assert ring.pending <= capacity
        while ring.pending:
            got.append(await ring.read())
        samples = np.concatenate([*got, np.zeros(0, np.int16)]).astype(int)
        assert len(samples) + ring.dropped == pushed
        assert np.all(np.diff(samples) >= 1)  # in order, none twice
        if pushed:
            assert len(samples)
            assert samples[-1] == pushed - 1  # the newest is never dropped

    run(main)


@given(
    frames=st.lists(st.integers(1, 700), min_size=1, max_size=20),
    keep=st.integers(0, 3000),
    ask=st.integers(0, 4000),
)
@settings(max_examples=60, deadline=None)
def test_preroll_is_the_end_of_what_was_read(frames: list[int], keep: int, ask: int) -> None:
    async def main(clock: VirtualClock) -> None:
        ring = Ring(clock, preroll=keep / SAMPLE_RATE)
        total = 0
        for count in frames:
            ring.push(ramp(total, count))
            await ring.read()
            total += count
        ring.push(ramp(9999, 100))  # not read: not part of the pre-roll
        expected = ramp(0, total)[total - min(ask, keep, total) :]
        np.testing.assert_array_equal(ring.preroll(ask / SAMPLE_RATE), expected)

    run(main)


def test_read_waits_for_a_push_and_survives_cancelling() -> None:
    async def main(clock: VirtualClock) -> None:
        ring = Ring(clock)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await ring.read()
        clock.call_at(5.0, lambda: ring.push(ramp(0, FRAME)))
        assert len(await ring.read()) == FRAME
        assert clock.monotonic() == ring.last_push == 5.0

    run(main)


def test_the_callers_buffer_may_be_reused() -> None:
    async def main(clock: VirtualClock) -> None:
        ring, buffer = Ring(clock), ramp(0, 10)
        ring.push(buffer)
        buffer[:] = 7
        np.testing.assert_array_equal(await ring.read(), ramp(0, 10))

    run(main)


def test_heartbeat_begins_with_the_ring() -> None:
    async def main(clock: VirtualClock) -> None:
        await clock.sleep(9)
        assert Ring(clock).last_push == 9

    run(main)


async def test_a_thread_pushes_while_the_loop_reads() -> None:
    """Real threads: nothing is lost, nothing twice, no wake-up is missed."""
    ring = Ring(SystemClock(), seconds=60)
    frames = 500

    def produce() -> None:
        for index in range(frames):
            ring.push(np.full(64, index, np.int16))

    thread = threading.Thread(target=produce)
    thread.start()
    got = [int((await asyncio.wait_for(ring.read(), 10))[0]) for _ in range(frames)]
    thread.join()
    assert got == list(range(frames))
    assert ring.dropped == 0


def test_a_push_after_the_loop_has_ended_is_harmless() -> None:
    rings: list[Ring] = []

    async def main() -> None:
        rings.append(Ring(SystemClock()))
        reader = asyncio.create_task(rings[0].read())
        await asyncio.sleep(0)
        del reader

    asyncio.run(main())
    rings[0].push(ramp(0, 10))
    assert rings[0].pending == 10
