"""The n-th disk operation fails, for each n until the work no longer reaches it: no half message, nothing promised is lost.

A failed request answers with a problem that says come back; the server goes on working afterwards.
"""

import pytest

from tests.anomaly.trials import fail_once, operations

GROUPS = 2
STEP = 10
"""Every tenth operation in one run; the long run takes each."""


def failures(numbers: range) -> dict[int, object]:
    found: dict[int, object] = {}
    for number in numbers:
        broken, statuses = fail_once(number)
        unexpected = [status for status in statuses if status not in {409, 410, 423, 500, 503, 507}]
        if broken or unexpected:
            found[number] = (broken, unexpected)
    return found


@pytest.mark.parametrize("group", range(GROUPS))
def test_one_failed_operation_breaks_no_promise_and_the_server_goes_on(group):
    assert failures(range(1 + group * STEP, operations(0), STEP * GROUPS)) == {}


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_each_failed_operation_breaks_no_promise():
    assert failures(range(1, operations(0))) == {}
