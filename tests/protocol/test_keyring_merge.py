"""Two devices change the keyring at once: whatever they add or drop of devices and ways in, nothing is lost."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.crypto.keyring import Device, Method, MethodType
from restante.crypto.keyring_changes import (
    merge,
    with_device,
    with_method,
    without_device,
    without_method,
)
from tests.protocol.people import NOW, person

ANN = person("ann").keyring
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["devices", "unlock"]),
        st.sampled_from(["add", "drop", "rename"]),
        st.sampled_from("abcd"),
        st.sampled_from(["x", "é", "zz"]),
    ),
    max_size=6,
)


def device(name, label="x"):
    return Device(did=name, label=label, recipient=f"age1{name}", created=NOW)


def method(name, label="x"):
    return Method(mid=name, type=MethodType.PASSKEY, label=label, recipient=f"age1{name}", created=NOW)


BASE = msgspec.structs.replace(ANN, devices=(device("a"), device("b")), unlock=(method("a"), method("b")))


def names(ring):
    return {"devices": {each.did for each in ring.devices}, "unlock": {each.mid for each in ring.unlock}}


def changed(steps, ring=BASE):
    for of, what, name, label in steps:
        if what == "rename" and name not in names(ring)[of]:
            continue
        if what == "drop":
            ring = (without_device if of == "devices" else without_method)(ring, name)
        elif of == "devices":
            ring = with_device(ring, device(name, label))
        else:
            ring = with_method(ring, method(name, label))
    return ring


def content(ring):
    return set(ring.devices), set(ring.unlock)


def assert_nothing_lost(merged, *sides):
    """What any side added is there, unless another had dropped it; what any side dropped is gone."""
    was, has = names(BASE), names(merged)
    for side in map(names, sides):
        for of in was:
            assert side[of] - was[of] <= has[of]
            assert not (was[of] - side[of]) & has[of]


@settings(max_examples=200, deadline=None)
@given(one=CHANGES, other=CHANGES)
def test_what_was_added_is_there_and_what_was_dropped_is_gone(one, other):
    mine, theirs = changed(one), changed(other)
    merged = merge(BASE, mine, theirs)
    assert merge(BASE, theirs, mine) == merged
    assert merged.rev == max(mine.rev, theirs.rev) + 1
    assert_nothing_lost(merged, mine, theirs)


@settings(max_examples=100, deadline=None)
@given(steps=CHANGES)
def test_a_merge_with_what_is_unchanged_or_with_the_same_is_the_change(steps):
    ring = changed(steps)
    for merged in (merge(BASE, ring, BASE), merge(BASE, BASE, ring), merge(BASE, ring, ring)):
        assert content(merged) == content(ring)


@settings(max_examples=100, deadline=None)
@given(one=CHANGES, other=CHANGES, third=CHANGES)
def test_whoever_is_refused_twice_merges_twice(one, other, third):
    first, second, last = changed(one), changed(other), changed(third)
    stored = merge(BASE, second, first)
    retried = merge(first, merge(BASE, last, first), stored)
    assert_nothing_lost(retried, first, second, last)
