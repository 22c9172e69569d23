"""The merge of groups: in whatever order copies of devices meet, they become the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.crypto.errors import ShardMalformed
from restante.crypto.groups import GROUPS, Group, GroupName, Groups, Membership
from restante.crypto.state import open_shard, seal_shard
from tests.protocol.people import person

IDS = [f"grp_{letter * 25}a" for letter in "ab"]
ACCTS = ["ann@post.example", "bob@post.example"]
INSTANTS = st.integers(0, 3)
NAMES = st.builds(GroupName, value=st.sampled_from([None, "family", "fam\u00edlia", "\u2028"]), at=INSTANTS)
MEMBERS = st.dictionaries(
    st.sampled_from(ACCTS), st.builds(Membership, value=st.booleans(), at=INSTANTS), max_size=2
)
SHARDS = st.builds(
    Groups,
    rev=st.integers(0, 5),
    groups=st.dictionaries(st.sampled_from(IDS), st.builds(Group, name=NAMES, members=MEMBERS), max_size=2),
)


@settings(max_examples=150)
@given(SHARDS, SHARDS, SHARDS)
def test_the_merge_is_a_join(one, two, three):
    assert one.merge(two) == two.merge(one)
    assert one.merge(two).merge(three) == one.merge(two.merge(three))
    assert one.merge(one).groups == {gid: one.groups[gid] for gid in sorted(one.groups)}


@given(SHARDS, SHARDS)
def test_the_later_word_wins(one, two):
    merged = one.merge(two)
    for gid, group in merged.groups.items():
        copies = [shard.groups[gid] for shard in (one, two) if gid in shard.groups]
        assert group.name.at == max(copy.name.at for copy in copies)
        for acct, member in group.members.items():
            assert member.at == max(copy.members[acct].at for copy in copies if acct in copy.members)


def test_it_is_sealed_like_any_shard_and_foreign_names_are_refused():
    ann = person("ann")
    state = ann.keyring.state_identity
    whole = Groups(rev=1, groups={IDS[0]: Group(name=GroupName(value="family", at=1))})
    sealed = seal_shard(whole, state=state, key=ann.key)
    assert open_shard(sealed, Groups, name=GROUPS, state=state, signers=[ann.key.public]) == whole
    for wrong in (
        Groups(groups={"grp_x": Group(name=GroupName(value="x", at=1))}),
        Groups(
            groups={
                IDS[0]: Group(
                    name=GroupName(value="x", at=1), members={"nobody": Membership(value=True, at=1)}
                )
            }
        ),
    ):
        bad = seal_shard(wrong, state=state, key=ann.key)
        with pytest.raises(ShardMalformed):
            open_shard(bad, Groups, name=GROUPS, state=state, signers=[ann.key.public])
