"""The decision of where sign-up and sending are open: pure, so it is held against its laws."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.server.availability.file import EXAMPLE, BadFile, chart_of, read
from restante.server.availability.in_force import ChartFile
from restante.server.availability.rules import Chart, Door, Who, decide
from tests.api.household import START_MS, TurnedClock

COUNTRIES = ("US", "GB", "FR")
PLATFORMS = ("macos", "windows", "linux", "other")
TIMES = st.integers(0, 4_000_000_000_000)


def doors() -> st.SearchStrategy[Door]:
    plain = st.sampled_from([Door("open"), Door("later"), Door("unknown")])
    planned = st.builds(lambda at: Door("planned", at), TIMES)
    beta = st.builds(lambda names: Door("beta", cohort=names), st.frozensets(st.sampled_from(["ann", "bob"])))
    return st.one_of(plain, planned, beta)


charts = st.builds(
    Chart,
    st.dictionaries(st.sampled_from(COUNTRIES), doors()),
    st.dictionaries(st.sampled_from(PLATFORMS), doors()),
    st.dictionaries(st.tuples(st.sampled_from(COUNTRIES), st.sampled_from(PLATFORMS)), doors()),
    doors(),
    doors(),
)
somewhere = st.one_of(st.none(), st.sampled_from((*COUNTRIES, "ZW")))
whoever = st.builds(Who, st.sampled_from(["", "ann", "bob", "cleo"]), st.booleans())
places = {"country": somewhere, "platform": st.sampled_from(PLATFORMS), "who": whoever}


@given(chart=charts, now_ms=TIMES, **places)
def test_it_is_open_where_country_and_platform_both_are(chart, country, platform, who, now_ms):
    decision = decide(chart, country, platform, who, now_ms=now_ms)
    there = chart.countries.get(country, chart.elsewhere)
    on_it = chart.exceptions.get((country, platform), chart.platforms.get(platform, chart.other))
    both = there.is_open(who, now_ms) and on_it.is_open(who, now_ms)
    assert decision.allowed is both
    assert (decision.blocked_by is None) is decision.allowed
    assert decision.phase == ("open" if decision.allowed else decision.phase)


@given(chart=charts, now_ms=TIMES, **places)
def test_it_opens_at_the_instant_that_was_told_and_not_before(chart, country, platform, who, now_ms):
    decision = decide(chart, country, platform, who, now_ms=now_ms)
    if decision.opens_at is None:
        return
    assert decision.opens_at > now_ms
    assert decide(chart, country, platform, who, now_ms=decision.opens_at).allowed
    assert not decide(chart, country, platform, who, now_ms=decision.opens_at - 1).allowed


@given(chart=charts, now_ms=TIMES, later_ms=TIMES, **places)
def test_time_opens_and_never_shuts(chart, country, platform, who, now_ms, later_ms):
    first, last = sorted((now_ms, later_ms))
    if decide(chart, country, platform, who, now_ms=first).allowed:
        assert decide(chart, country, platform, who, now_ms=last).allowed


@given(chart=charts, now_ms=TIMES, **places)
def test_an_invite_opens_and_never_shuts(chart, country, platform, who, now_ms):
    if decide(chart, country, platform, who, now_ms=now_ms).allowed:
        invited = Who(who.name, is_invited=True)
        assert decide(chart, country, platform, invited, now_ms=now_ms).allowed


@given(now_ms=TIMES, **places)
def test_without_a_file_everything_is_open(country, platform, who, now_ms):
    assert decide(None, country, platform, who, now_ms=now_ms).allowed


def test_what_is_shut_longest_is_told():
    chart = Chart({"FR": Door("planned", 10)}, {"linux": Door("later", text={"en": "Patience."})})
    decision = decide(chart, "FR", "linux", Who(), now_ms=0)
    assert (decision.blocked_by, decision.phase, decision.opens_at) == ("platform", "later", None)
    assert decision.text == {"en": "Patience."}
    both = Chart({"FR": Door("planned", 10)}, {"linux": Door("planned", 20)})
    assert decide(both, "FR", "linux", Who(), now_ms=0).opens_at == 20
    assert decide(both, "FR", "linux", Who(), now_ms=15).opens_at == 20


FOUNDING = [
    ("US", "macos", "2026-11-23", True),
    ("GB", "ios", "2026-11-23", True),
    ("GB", "android", "2026-11-23", True),
    ("FR", "macos", "2026-11-23", False),
    (None, "macos", "2026-11-23", False),
    ("US", "windows", "2027-03-31", False),
    ("US", "windows", "2027-04-01", True),
    ("FR", "windows", "2027-04-01", False),
    ("US", "linux", "2030-01-01", False),
    ("US", "windows-phone", "2030-01-01", False),
    ("US", "other", "2030-01-01", False),
]


@pytest.mark.parametrize(("country", "platform", "day", "allowed"), FOUNDING)
def test_the_shipped_example_is_the_founding_one(country, platform, day, allowed):
    now_ms = int(dt.datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() * 1000)
    assert decide(read(EXAMPLE), country, platform, Who(), now_ms=now_ms).allowed is allowed


BAD = {
    "countries.fr is no country": {"countries": {"fr": {"phase": "open"}}},
    "countries.England is no country": {"countries": {"England": {"phase": "open"}}},
    "platforms.mac is no platform": {"platforms": {"mac": {"phase": "open"}}},
    "Invalid enum value 'shut'": {"platforms": {"macos": {"phase": "shut"}}},
    "missing required field `phase`": {"platforms": {"macos": {}}},
    "unknown field `stage`": {"platforms": {"macos": {"phase": "open", "stage": 1}}},
    "unknown field `platform`": {"platform": {}},
    "platforms.macos: planned needs `from`": {"platforms": {"macos": {"phase": "planned"}}},
    "platforms.linux: planned needs `from`": {
        "platforms": {"linux": {"phase": "later", "from": dt.date(2027, 4, 1)}}
    },
    "platforms.ios: planned needs `from`": {"platforms": {"ios": {"phase": "planned", "from": "April"}}},
    "platforms.other: only a beta has a cohort": {
        "platforms": {"other": {"phase": "open", "cohort": ["ann"]}}
    },
    "platforms.macos.text.english is no language": {
        "platforms": {"macos": {"phase": "later", "text": {"english": "Soon."}}}
    },
    "countries.US.platforms.amiga is no platform": {
        "countries": {"US": {"phase": "open", "platforms": {"amiga": {"phase": "open"}}}}
    },
    "only a country can have platforms": {
        "countries": {"elsewhere": {"phase": "open", "platforms": {"ios": {"phase": "open"}}}}
    },
}


@pytest.mark.parametrize("said", BAD)
def test_a_bad_file_is_told_in_one_line(said):
    with pytest.raises(BadFile) as raised:
        chart_of(BAD[said])
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_changed_file_is_taken_up_and_a_bad_one_changes_nothing(tmp_path: Path):
    path, clock, complaints = tmp_path / "availability.toml", TurnedClock(), []
    file = ChartFile(path, clock, complaints.append)

    def allowed() -> bool:
        clock.pass_ms(2_500)
        return decide(file.chart(), "US", "linux", Who(), now_ms=START_MS).allowed

    assert allowed()
    path.write_text('[platforms.linux]\nphase = "later"\n')
    assert not allowed()
    path.write_text('[platforms.linux]\nphase = "opened"\n')
    assert not allowed()
    assert len(complaints) == 1
    path.write_text('[platforms.linux]\nphase = "open"\n# and now it is right\n')
    assert allowed()
    path.unlink()
    assert allowed()
    assert file.chart() is None
