"""Account names and addresses: ``ann`` is a name, ``ann@post.example`` its acct."""

import re

_NAME = re.compile(r"[a-z0-9_-]{3,32}\Z")
_SERVER_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\Z"
)

RESERVED = frozenset(
    """
    about abuse account accounts admin administrator all anonymous api app assets auth billing blog caller
    contact deleted desk docs download email everyone favicon ftp guest help hostmaster imap inbox info
    invite legal link links login logout mail mailbox me media message messages nobody noreply null
    operator pair postmaster privacy pop record records register report restante root sales security send
    sent server service settings share sign-in sign-out sign-up signin signout signup smtp staff static
    status support sys system team terms test undefined unknown update user users video videos webmaster
    welcome well-known www you
    """.split()
)
"""Names that nobody may take, because a page, a role or a mail address goes by them."""


_GONE = "deleted-"
"""How accounts are called between their deletion and their removal; nobody may take such a name."""


def gone_name(number: int) -> str:
    """The name of a deleted account until it is removed."""
    return f"{_GONE}{number}"


def is_free_to_take(text: str) -> bool:
    """Tells whether somebody may sign up under the text, if nobody has."""
    return is_name(text) and text not in RESERVED and not text.startswith(_GONE)


def is_name(text: str) -> bool:
    """Tells whether the text has the form of an account name; a reserved word has."""
    return bool(_NAME.match(text))


def is_server_name(text: str) -> bool:
    """Tells whether the text has the form of a server name: lower-case labels, no port, no scheme."""
    return bool(_SERVER_NAME.match(text))


def split_acct(acct: str) -> tuple[str, str]:
    """Splits ``name@server-name``; raises ValueError when either side is malformed."""
    name, at, server = acct.partition("@")
    if not at or not is_name(name) or not is_server_name(server):
        raise ValueError("not an address of the form name@server-name")
    return name, server
