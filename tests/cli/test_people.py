"""Requests of strangers, blocking, reporting and groups at the command line."""

import json

from restante.server.commands.reports import reports


def test_strangers_wait_until_they_are_accepted_and_the_blocked_cannot_tell(person, server, clip, capsys):
    ann, bob, eve = person(), person(), person()
    first = eve.send(ann.name, clip)
    (item,) = ann.inbox()
    assert (item["from"], item["request"]) == (eve.name, True)
    assert f"{eve.name} (request)" in ann.ok("inbox").out
    (waiting,) = ann.ok("requests", "--json").json
    assert (waiting["acct"], waiting["messages"]) == (f"{eve.name}@localhost", 1)

    # Accepted by a word, and by an answer.
    assert ann.ok("requests", "accept", eve.name, "--json").json["state"] == "accepted"
    assert ann.ok("requests", "--json").json == []
    assert ann.inbox()[0]["request"] is False
    bob.send(eve.name, clip)
    assert eve.inbox()[0]["request"] is True
    eve.send(bob.name, clip)
    assert eve.inbox()[0]["request"] is False

    # Blocked: nothing arrives, what was there leaves the list, and to the sender it is as if nobody looked.
    ann.ok("block", eve.name)
    assert ann.ok("block", "--json").json == [{"acct": f"{eve.name}@localhost"}]
    eve.send(ann.name, clip)
    assert ann.inbox() == []
    assert {item["id"]: item["state"] for item in eve.sent() if item["to"] == [ann.name]}.keys() >= {first}
    assert eve.sent()[0]["state"] == "stored"
    ann.ok("unblock", eve.name)
    assert [item["id"] for item in ann.inbox()] == [first]

    # Only one of them, by name; numbers stay those of the whole inbox.
    second = bob.send(ann.name, clip)
    assert [item["id"] for item in ann.ok("inbox", "--from", eve.name, "--json").json] == [first]
    assert ann.ok("inbox", "--from", eve.name).out.splitlines()[1].split()[0] == "2"

    # Reported: asked first; the operator gets what opens this message; and the reporter can block at once.
    assert "--yes" in ann.run("report", second, "--reason", "spam").failed(2).err
    told = ann.ok(
        "report", second, "--reason", "spam", "--note", "unwanted", "--block", "--yes", "--json"
    ).json
    assert reports("show", told["id"], data=server.data, json=True) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["sender"], shown["note"], shown["message"]) == (bob.name, "unwanted", second)
    assert ann.ok("block", "--json").json == [{"acct": f"{bob.name}@localhost"}]
    assert "received" in bob.run("report", second, "--reason", "spam", "--yes").failed(2).err


def test_a_group_gets_one_message_each_with_an_envelope(person, clip):
    ann, bob, eve = person(), person(), person()
    made = ann.ok("groups", "new", "family", bob.name, eve.name, "--json").json
    assert made["members"] == sorted(f"{each.name}@localhost" for each in (bob, eve))
    sent = ann.send("--group", "family", clip)
    assert [bob.inbox()[0]["id"], eve.inbox()[0]["id"]] == [sent, sent]
    assert ann.ok("groups", "remove", "family", eve.name, "--json").json["members"] == [
        f"{bob.name}@localhost"
    ]
    assert ann.ok("groups", "add", "family", eve.name, "--json").json["members"] == made["members"]
    assert "There is a group" in ann.run("groups", "new", "family", bob.name).failed(2).err
    assert "no group" in ann.run("send", "--group", "friends", clip).failed(2).err
    ann.ok("groups", "drop", "family")
    assert ann.ok("groups", "--json").json == []
    assert "what to do" in ann.run("groups", "new").failed(2).err
