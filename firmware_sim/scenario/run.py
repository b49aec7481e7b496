"""Plays many scenarios on all cores, and gives each result as soon as it is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from firmware_sim.scenario.load import Loaded
from firmware_sim.scenario.play import play
from firmware_sim.scenario.played import Played


def run_all(scenarios: Sequence[Loaded], *, jobs: int = -1, keep_sound: bool = False) -> Iterator[Played]:
    """Play scenarios side by side, in the order in which they end.

    The processes are joblib's: within `joblib.parallel_config(backend="ray")`, after `ray.util.joblib.register_ray()`,
    the same work runs on a cluster.

    Args:
        scenarios: What to play.
        jobs: Processes; -1 for one a core.
        keep_sound: See `play`.

    Raises:
        ScenarioError: One can't be played as it is written.
    """
    from joblib import Parallel, delayed

    # Those that take longest first, so that no core is left with one of them at the end.
    ordered = sorted(scenarios, key=lambda loaded: loaded.scenario.ears != "speech")
    if jobs == 1 or len(ordered) == 1:
        yield from (play(loaded, keep_sound=keep_sound) for loaded in ordered)
        return
    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    yield from parallel(delayed(play)(loaded, keep_sound=keep_sound) for loaded in ordered)
