"""What is stored with whom, and an account's end, at the command line."""

from pathlib import Path

from tests.cli.person import Person, until


def test_storage_is_told_by_whom(ann: Person, bob: Person, clip: Path) -> None:
    ann.send(bob.name, clip)
    told = bob.ok("storage", "--json").json
    assert [(one["name"], one["messages"]) for one in told["received"]] == [(ann.name, 1)]
    assert told["received_bytes"] == told["received"][0]["bytes"] > 1000
    assert told["sent"] == []
    assert ann.ok("plan", "--json").json["on"] is False
    assert ann.ok("plan").out == "Everything is free on this server.\n"
    shown = ann.ok("storage").out
    assert bob.name in shown
    assert "KiB" in shown


def test_an_account_is_deleted_by_who_proves_to_be_its_owner(person, bob: Person, clip: Path) -> None:
    eve = person()
    sent = eve.send(bob.name, clip)
    assert sent in [item["id"] for item in bob.inbox()]
    eve.run("delete-account", bob.name, RESTANTE_PASSPHRASE=eve.passphrase).failed(2)
    refused = eve.run("delete-account", eve.name, RESTANTE_PASSPHRASE="another one altogether").failed()
    assert "sign-in-refused" in refused.err or "wrong" in refused.err
    assert eve.ok("storage", "--json").json["sent_bytes"] > 0
    eve.ok("delete-account", eve.name, RESTANTE_PASSPHRASE=eve.passphrase)
    eve.run("inbox").failed()
    until(lambda: sent not in [item["id"] for item in bob.inbox()])
    again = eve.other_device("second").run("sign-in", eve.name, RESTANTE_PASSPHRASE=eve.passphrase)
    again.failed(2 if again.code == 2 else 1)


def test_how_one_is_told_is_shown_and_changed(ann: Person) -> None:
    told = ann.ok("notices", "--quiet", "22:00-07:00", "--zone", "Europe/Paris", "--json").json
    assert told["quiet"] == {"begins": 1320, "ends": 420, "zone": "Europe/Paris"}
    assert "22:00-07:00 Europe/Paris" in ann.ok("notices").out
    ann.run("notices", "--quiet", "night").failed(2)
    ann.run("notices", "--quiet", "22:00-07:00", "--zone", "Mars/Olympus").failed()
    assert ann.ok("notices", "--no-quiet", "--json").json["quiet"] is None
    refused = ann.run("notices", "--mail", "ann@mail.example").failed()
    assert "writes no mail" in refused.err
