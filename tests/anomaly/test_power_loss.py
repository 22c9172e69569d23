"""No acknowledged byte, message or deletion is lost when the power fails or the process dies, at any disk operation.

150 points of each in every run; thousands in `make test-long`. With `synchronous=NORMAL` the same suite must fail, and it
must not see that failure when only the process dies: that is why a kill-only suite proves nothing about power.
"""

from collections.abc import Iterator

import pytest

from tests.anomaly.trials import Trial, die

POINTS = 150
GROUPS = 3


def broken(trials: dict[int, Trial]) -> dict[int, list[str]]:
    return {seed: trial.broken for seed, trial in trials.items() if trial.broken}


def run(seeds: range, *, synchronous: str = "FULL") -> tuple[dict[int, Trial], dict[int, Trial]]:
    outcomes = {seed: die(seed, synchronous=synchronous) for seed in seeds}
    return {seed: power for seed, (power, _) in outcomes.items()}, {
        seed: process for seed, (_, process) in outcomes.items()
    }


def survived(seeds: range) -> Iterator[Trial]:
    """Ends at the first loss; what is left to see is how much each trial had promised."""
    for seed in seeds:
        power, process = die(seed)
        assert (seed, power.broken, process.broken) == (seed, [], [])
        yield power


@pytest.mark.timeout(300)
@pytest.mark.parametrize("group", range(GROUPS))
def test_neither_power_loss_nor_process_death_loses_anything_acknowledged(group):
    trials = list(survived(range(group, POINTS, GROUPS)))
    assert sum(trial.promised_uploads for trial in trials) > len(trials)
    assert sum(trial.promised_messages for trial in trials) > len(trials) // 2


def test_synchronous_normal_is_caught_by_power_loss_and_not_by_process_death():
    power, process = run(range(20), synchronous="NORMAL")
    assert len(broken(power)) >= 10
    assert broken(process) == {}


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_nothing_acknowledged_is_lost_at_5000_points():
    assert sum(1 for _ in survived(range(1000, 6000))) == 5000
