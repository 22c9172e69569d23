"""SQL of passkeys and their ceremonies. See [Note: Statements made once]."""

import hashlib
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, union_all, update

from restante.server.db.tables import accounts, passkey_ceremonies, passkeys, reserved_names
from restante.server.passkeys.origins import parse
from restante.server.passkeys.shapes import Ceremony, NewPasskey, Passkey

AnyRow = Row[*tuple[Any, ...]]
Kind = Literal["registration", "assertion"]

# Ceremonies

_ADD_CEREMONY = insert(passkey_ceremonies)
_TAKE_CEREMONY = (
    delete(passkey_ceremonies)
    .where(
        passkey_ceremonies.c.id == bindparam("ceremony"),
        passkey_ceremonies.c.kind == bindparam("asked"),
        passkey_ceremonies.c.expires_at > bindparam("now"),
    )
    .returning(
        passkey_ceremonies.c.challenge,
        passkey_ceremonies.c.origin,
        passkey_ceremonies.c.user_handle,
        passkey_ceremonies.c.name,
        passkey_ceremonies.c.account_id,
    )
)
_FORGET_CEREMONIES = delete(passkey_ceremonies).where(passkey_ceremonies.c.expires_at <= bindparam("now"))


def add_ceremony(
    connection: Connection, ceremony_id: str, kind: Kind, ceremony: Ceremony, *, expires_at: int
) -> None:
    row = {
        "id": ceremony_id,
        "kind": kind,
        "challenge": ceremony.challenge,
        "origin": ceremony.origin.text,
        "user_handle": ceremony.user_handle or None,
        "name": ceremony.name,
        "account_id": ceremony.account_id,
        "expires_at": expires_at,
    }
    connection.execute(_ADD_CEREMONY, row)


def take_ceremony(connection: Connection, ceremony_id: str, kind: Kind, *, now_ms: int) -> Ceremony | None:
    """Removes a ceremony and returns it: whoever comes second finds none."""
    asked = {"ceremony": ceremony_id, "asked": kind, "now": now_ms}
    row = connection.execute(_TAKE_CEREMONY, asked).first()
    origin = parse(row.origin) if row else None
    if row is None or origin is None:
        return None
    return Ceremony(row.challenge, origin, row.user_handle or b"", row.name, row.account_id)


def forget_ceremonies(connection: Connection, *, now_ms: int) -> int:
    """Removes what nobody answered in time; returns how many."""
    return connection.execute(_FORGET_CEREMONIES, {"now": now_ms}).rowcount


# Passkeys

_OF_ACCOUNT = passkeys.c.account_id == bindparam("account")
_THIS = (_OF_ACCOUNT, passkeys.c.mid == bindparam("method"))
_ADD = insert(passkeys)
_BY_CREDENTIAL = (
    select(
        accounts.c.name,
        passkeys.c.account_id,
        passkeys.c.mid,
        passkeys.c.credential_id,
        passkeys.c.public_key,
        passkeys.c.user_handle,
        passkeys.c.rp_id,
        passkeys.c.sign_count,
        passkeys.c.backup_eligible,
    )
    .join(accounts, accounts.c.id == passkeys.c.account_id)
    .where(passkeys.c.credential_id == bindparam("credential"))
)
_ALL = (
    select(
        passkeys.c.mid,
        passkeys.c.credential_id,
        passkeys.c.user_handle,
        passkeys.c.rp_id,
        passkeys.c.transports,
        passkeys.c.label,
        passkeys.c.created_at,
        passkeys.c.last_used_at,
    )
    .where(_OF_ACCOUNT)
    .order_by(passkeys.c.created_at, passkeys.c.mid)
)
_COUNT = select(func.count()).select_from(passkeys).where(_OF_ACCOUNT)
_REMOVE = delete(passkeys).where(*_THIS)
_NOTE_USE = (
    update(passkeys)
    .where(*_THIS, passkeys.c.sign_count == bindparam("seen"))
    .values(sign_count=bindparam("next"), last_used_at=bindparam("now"))
)
_IS_TAKEN = union_all(
    select(accounts.c.id).where(accounts.c.name == bindparam("known_as")),
    select(reserved_names.c.created_at).where(reserved_names.c.name_sha256 == bindparam("digest")),
)


def add(
    connection: Connection, account_id: int, new: NewPasskey, *, mid: str, label: str, now_ms: int
) -> None:
    row = {
        "account_id": account_id,
        "mid": mid,
        "credential_id": new.credential_id,
        "public_key": new.public_key,
        "user_handle": new.user_handle,
        "rp_id": new.rp_id,
        "sign_count": new.sign_count,
        "backup_eligible": int(new.backup_eligible),
        "transports": ",".join(new.transports),
        "label": label,
        "created_at": now_ms,
        "last_used_at": None,
    }
    connection.execute(_ADD, row)


def by_credential(connection: Connection, credential_id: bytes) -> tuple[str, Passkey] | None:
    """The name of its account, and the passkey."""
    row = connection.execute(_BY_CREDENTIAL, {"credential": credential_id}).first()
    if row is None:
        return None
    return row.name, Passkey(
        account_id=row.account_id,
        mid=row.mid,
        credential_id=row.credential_id,
        public_key=row.public_key,
        user_handle=row.user_handle,
        rp_id=row.rp_id,
        sign_count=row.sign_count,
        backup_eligible=bool(row.backup_eligible),
    )


def of_account(connection: Connection, account_id: int) -> list[AnyRow]:
    """All passkeys of the account, oldest first."""
    return list(connection.execute(_ALL, {"account": account_id}))


def count(connection: Connection, account_id: int) -> int:
    return int(connection.execute(_COUNT, {"account": account_id}).scalar() or 0)


def remove(connection: Connection, account_id: int, mid: str) -> bool:
    """Removes a passkey of the account; tells whether there was one."""
    return connection.execute(_REMOVE, {"account": account_id, "method": mid}).rowcount > 0


def note_use(connection: Connection, passkey: Passkey, *, sign_count: int, now_ms: int) -> bool:
    """Stores the counter; tells whether the passkey is still there and nobody used it in the meantime."""
    used = {
        "account": passkey.account_id,
        "method": passkey.mid,
        "seen": passkey.sign_count,
        "next": sign_count,
        "now": now_ms,
    }
    return connection.execute(_NOTE_USE, used).rowcount > 0


def is_taken(connection: Connection, name: str) -> bool:
    """Tells whether somebody has the name, or had it: names are never given away again."""
    digest = hashlib.sha256(name.encode()).digest()
    return connection.execute(_IS_TAKEN, {"known_as": name, "digest": digest}).first() is not None
