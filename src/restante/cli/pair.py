"""`restante pair`."""

import sys
from dataclasses import asdict
from functools import partial

import segno

from restante.cli.options import DEFAULT, Common
from restante.cli.terminal import put, put_json_line, say
from restante.client.pairing import Asking
from restante.client.pairing import pair as ask_to_be_paired


def pair(url: str | None = None, *, name: str | None = None, common: Common = DEFAULT) -> None:
    """Signs this machine in by a browser in which you are signed in already; no passphrase is typed here.

    Shows an address, also as a QR code, and six words. Open it, compare the words, and approve there.

    Args:
        url: the address of the server; otherwise --server, or the one used before.
        name: what this machine is called in the list of devices; otherwise its host name, which the server learns.
        common: options of every command.
    """
    profile = common.open_profile()
    server = url or common.server_of(profile)
    account = ask_to_be_paired(profile, server, show=partial(_show, common=common), label=name)
    account.close()
    for notice in account.notices:
        say(f"warning: {notice}")
    identity = account.identity
    if common.json:
        put_json_line({"name": identity.name, "acct": identity.acct, "server": identity.server})
    else:
        put(identity.acct)


def _show(asking: Asking, *, common: Common) -> None:
    if common.json:
        put_json_line(asdict(asking))
        return
    if sys.stderr.isatty():
        segno.make(asking.address, error="l", micro=False).terminal(out=sys.stderr, compact=True)
    say(f"Open this address in a browser where you are signed in:\n\n  {asking.address}\n")
    say(f"There it is called “{asking.label}”, with these six words:\n\n  {' '.join(asking.words)}\n")
    say("Approve only if the words are the same. This waits for ten minutes; Ctrl-C ends it.")
