"""SQL of invites, of what accounts were let in by, and of identities that they were linked to. See [Note: Statements made once]."""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select, update

from restante.server.db.entry_tables import admissions, invites
from restante.server.db.tables import accounts

AnyRow = Row[*tuple[Any, ...]]

_NOW = bindparam("now", type_=invites.c.created_at.type)
_LIVING = (
    invites.c.revoked_at.is_(None),
    or_(invites.c.expires_at.is_(None), invites.c.expires_at > _NOW),
    invites.c.uses < invites.c.most_uses,
)
_FIND = select(invites.c.id, invites.c.uses).where(
    invites.c.code_sha256 == bindparam("digest", type_=invites.c.code_sha256.type), *_LIVING
)
_USE = update(invites).where(invites.c.id == bindparam("invite")).values(uses=invites.c.uses + 1)
_ADD_INVITE = insert(invites)
_LISTED = select(invites).order_by(invites.c.created_at.desc(), invites.c.id)
_REVOKE = (
    update(invites)
    .where(invites.c.id == bindparam("invite"), invites.c.revoked_at.is_(None))
    .values(revoked_at=_NOW)
)
_ADMIT = insert(admissions)
_OF_ACCOUNT = select(admissions.c.kind).where(
    admissions.c.account_id == bindparam("account", type_=admissions.c.account_id.type),
    admissions.c.kind == bindparam("of_kind"),
)
_IDENTITIES = ("provider", "linked")
"""Kinds by which an account has an identity at the provider: it was made by it, or linked to it later."""
_SAME = dict.fromkeys(_IDENTITIES, _IDENTITIES)
_WHOSE = (
    select(accounts.c.name)
    .select_from(admissions.join(accounts, accounts.c.id == admissions.c.account_id))
    .where(
        admissions.c.kind.in_(bindparam("of_kinds", expanding=True)), admissions.c.subject == bindparam("who")
    )
)
_IDENTITY = select(admissions.c.kind, admissions.c.subject, admissions.c.created_at).where(
    admissions.c.account_id == bindparam("account", type_=admissions.c.account_id.type),
    admissions.c.kind.in_(_IDENTITIES),
)
_UNLINK = delete(admissions).where(
    admissions.c.account_id == bindparam("account", type_=admissions.c.account_id.type),
    admissions.c.kind.in_(_IDENTITIES),
)


def living_invite(connection: Connection, digest: bytes, *, now_ms: int) -> AnyRow | None:
    """The invite of a code that still lets somebody in."""
    return connection.execute(_FIND, {"digest": digest, "now": now_ms}).first()


def use_invite(connection: Connection, invite_id: str) -> None:
    connection.execute(_USE, {"invite": invite_id})


def add_invite(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(_ADD_INVITE, row)


def invites_made(connection: Connection) -> list[AnyRow]:
    """All invites, the newest first."""
    return list(connection.execute(_LISTED))


def revoke_invite(connection: Connection, invite_id: str, *, now_ms: int) -> bool:
    """Takes an invite back; tells whether there was one."""
    return connection.execute(_REVOKE, {"invite": invite_id, "now": now_ms}).rowcount > 0


def admit(connection: Connection, account_id: int, kind: str, subject: str, *, now_ms: int) -> None:
    row = {"account_id": account_id, "kind": kind, "subject": subject, "created_at": now_ms}
    connection.execute(_ADMIT, row)


def is_admitted(connection: Connection, account_id: int, kind: str) -> bool:
    """Tells whether an account was let in by a kind of ticket."""
    return connection.execute(_OF_ACCOUNT, {"account": account_id, "of_kind": kind}).first() is not None


def whose(connection: Connection, kind: str, subject: str) -> str | None:
    """The name of the account that an address or identity made, or is linked to."""
    asked = {"of_kinds": _SAME.get(kind, (kind,)), "who": subject}
    found: str | None = connection.execute(_WHOSE, asked).scalar()
    return found


def identity(connection: Connection, account_id: int) -> AnyRow | None:
    """The identity of an account at the provider: kind, subject, created_at."""
    return connection.execute(_IDENTITY, {"account": account_id}).first()


def unlink(connection: Connection, account_id: int) -> None:
    connection.execute(_UNLINK, {"account": account_id})
