"""Links that add somebody, with the fingerprint of their signing key in the fragment (docs/protocol/links.md).

>>> link = write_invitation(account)
>>> read_invitation(link).acct == account.acct
True
"""

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from restante.client.account import Account
from restante.client.errors import LinkMalformed
from restante.protocol.names import split_acct
from restante.signing.keys import fp

_PATH = "/add/"
_FRAGMENT = re.compile(r"fp\.([A-Za-z0-9_-]{22})\Z")


class Invitation(NamedTuple):
    """Whom a link names, and the fingerprint of their key."""

    acct: str
    fp: str


def write_invitation(account: Account) -> str:
    """Writes the link by which others add this account."""
    return f"{account.identity.server}{_PATH}{account.acct}#fp.{fp(account.keyring.signing_key.public)}"


def read_invitation(link: str) -> Invitation:
    """Reads such a link, of whatever server. Raises LinkMalformed."""
    parts = urlsplit(link.strip())
    named = _FRAGMENT.match(parts.fragment)
    acct = unquote(parts.path.removeprefix(_PATH))
    if named is None or not parts.path.startswith(_PATH):
        raise LinkMalformed
    try:
        split_acct(acct)
    except ValueError as error:
        raise LinkMalformed from error
    return Invitation(acct, named[1])
