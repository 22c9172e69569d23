"""No acknowledged byte, message or deletion is lost when the power fails or the process dies, at any disk operation.

300 points of each in every run; thousands in `make test-long`. With `synchronous=NORMAL` the same suite must fail, and it
must not see that failure when only the process dies: that is why a kill-only suite proves nothing about power.
"""

import pytest

from tests.anomaly.trials import Trial, power_fails, process_dies

POINTS = 300
GROUPS = 6


def broken(trials: list[tuple[int, Trial]]) -> dict[int, list[str]]:
    return {seed: trial.broken for seed, trial in trials if trial.broken}


@pytest.mark.parametrize("group", range(GROUPS))
def test_power_loss_loses_nothing_acknowledged(group):
    trials = [(seed, power_fails(seed)) for seed in range(group, POINTS, GROUPS)]
    assert sum(trial.promised_uploads for _, trial in trials) > len(trials)
    assert sum(trial.promised_messages for _, trial in trials) > len(trials) // 2
    assert broken(trials) == {}


@pytest.mark.parametrize("group", range(GROUPS))
def test_process_death_loses_nothing_acknowledged(group):
    trials = [(seed, process_dies(seed)) for seed in range(group, POINTS, GROUPS)]
    assert broken(trials) == {}


def test_synchronous_normal_is_caught_by_power_loss():
    trials = [(seed, power_fails(seed, synchronous="NORMAL")) for seed in range(20)]
    assert len(broken(trials)) >= 10


def test_synchronous_normal_is_not_caught_by_process_death():
    trials = [(seed, process_dies(seed, synchronous="NORMAL")) for seed in range(20)]
    assert broken(trials) == {}


@pytest.mark.long
def test_power_loss_loses_nothing_acknowledged_in_5000_points():
    assert broken([(seed, power_fails(seed)) for seed in range(1000, 6000)]) == {}
