"""Who may come in, at the desk: switches over `availability.toml` with a preview, who waits, invites."""

from typing import Any

from sqlalchemy import Connection

from restante.protocol.wire_office import (
    DeskDoors,
    DeskInvite,
    DeskInviteForm,
    DeskInviteMade,
    DeskInvites,
    DeskPreview,
    DeskSwitches,
    DeskWaiting,
)
from restante.server.admission import service as admission
from restante.server.asgi import RawHeaders
from restante.server.availability import showing, switches
from restante.server.availability.service import Availability, let_in
from restante.server.availability.showing import BadSwitch
from restante.server.availability.switches import Switches
from restante.server.availability.waiting import WAITED, waiting_of
from restante.server.clock import Clock
from restante.server.desk.service import Desk, Noted
from restante.server.errors import Refusal
from restante.server.sessions.actor import Actor

_DAY_MS = 86_400_000


class Entrance:
    """Serves operators, whom ``desk`` lets through."""

    def __init__(self, desk: Desk, clock: Clock, availability: Availability) -> None:
        self._desk = desk
        self._clock = clock
        self._availability = availability

    # Switches

    async def doors(self, actor: Actor, headers: RawHeaders) -> DeskDoors:
        """What is open, and what was switched."""
        return await self._desk.read(actor, headers, lambda _: self._doors())

    async def preview(self, actor: Actor, headers: RawHeaders, wanted: DeskSwitches) -> DeskPreview:
        """What people see now, and would see with other switches. Raises Refusal invalid."""
        after = _read(wanted)

        def work(_: Connection) -> DeskPreview:
            own, before = self._availability.file.written()
            return showing.preview(own, before, after, now_ms=self._clock.now_ms())

        return await self._desk.read(actor, headers, work)

    async def switch(self, actor: Actor, headers: RawHeaders, wanted: DeskSwitches) -> DeskDoors:
        """Puts switches in the place of those that there are. Raises Refusal invalid, storage-full."""
        after = _read(wanted)

        def work(connection: Connection, _: int) -> tuple[DeskDoors, Noted]:
            file = self._availability.file
            changes = showing.in_words(file.written()[1], after)
            switches.keep(connection, after)
            try:
                file.switch(after)
            except OSError as error:
                raise Refusal("storage-full") from error
            return self._doors(), Noted("switch", "", changes)

        return await self._desk.change(actor, headers, work)

    def _doors(self) -> DeskDoors:
        own, switches = self._availability.file.written()
        return showing.doors(own, switches, now_ms=self._clock.now_ms())

    # Who waits

    async def waiting(self, actor: Actor, headers: RawHeaders, *, after: int) -> DeskWaiting:
        """Who asked to be told that it opens, the one who asked first at the top; of addresses only what tells them apart."""
        chart, now_ms = self._availability.file.chart(), self._clock.now_ms()
        return await self._desk.read(
            actor,
            headers,
            lambda connection: waiting_of(connection, chart, after=after, now_ms=now_ms),
        )

    async def let_in(self, actor: Actor, headers: RawHeaders, waiting_id: int) -> None:
        """Invites somebody who waits. Raises Refusal not-found, not-available-yet."""

        def work(connection: Connection, now_ms: int) -> tuple[None, Noted]:
            chart = self._availability.file.chart()
            invite = let_in(connection, chart, waiting_id, note=WAITED, now_ms=now_ms)
            return None, Noted("invite", invite)

        await self._desk.change(actor, headers, work)

    # Invites

    async def invites(self, actor: Actor, headers: RawHeaders) -> DeskInvites:
        """All invites, the newest first."""
        now_ms = self._clock.now_ms()
        return await self._desk.read(
            actor,
            headers,
            lambda connection: DeskInvites(
                [_invite(row, now_ms=now_ms) for row in admission.invites_made(connection)]
            ),
        )

    async def make(self, actor: Actor, headers: RawHeaders, form: DeskInviteForm) -> DeskInviteMade:
        """Makes an invite; its code is told this once."""

        def work(connection: Connection, now_ms: int) -> tuple[DeskInviteMade, Noted]:
            expires_at = None if form.days is None else now_ms + form.days * _DAY_MS
            invite_id, code = admission.make_invite(
                connection, note=form.note, most_uses=form.uses, expires_at=expires_at, now_ms=now_ms
            )
            made = DeskInviteMade(id=invite_id, code=code, expires_at=expires_at)
            return made, Noted("invite", invite_id, form.note)

        return await self._desk.change(actor, headers, work)

    async def revoke(self, actor: Actor, headers: RawHeaders, invite_id: str) -> None:
        """Takes an invite back. Raises Refusal not-found."""

        def work(connection: Connection, now_ms: int) -> tuple[None, Noted]:
            if not admission.revoke_invite(connection, invite_id, now_ms=now_ms):
                raise Refusal("not-found")
            return None, Noted("revoke", invite_id)

        await self._desk.change(actor, headers, work)


def _invite(row: Any, *, now_ms: int) -> DeskInvite:
    return DeskInvite(
        id=row.id,
        state=admission.state_of(row, now_ms=now_ms),
        note=row.note,
        uses=row.uses,
        most_uses=row.most_uses,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _read(wanted: DeskSwitches) -> Switches:
    try:
        return showing.switches_of(wanted.items)
    except BadSwitch as error:
        raise Refusal("invalid", detail=str(error)) from error
