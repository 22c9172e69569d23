"""What is secret besides the main job, done by real commands: links, pages, calls, new keys, and the server's own secrets."""

import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from restante.client import calling
from restante.client.addresses import PageAddress, read_address
from restante.client.guest import Guest
from restante.client.http import Session
from restante.crypto.kdf import Access, greeting_access, link_access
from restante.protocol.encoding import unb64
from tests.anomaly.canaries import Canary
from tests.anomaly.mainjob import MainJob, of_identity, of_text
from tests.serving import Server

IN_DATABASE = ("restante.sqlite3", "dump of the database", "memory of")
IN_MEMORY = ("memory of",)


@dataclass
class OwnSecrets:
    """What the operator gives a server, and what it makes for itself: it has them, and nobody is to learn them from it."""

    smtp: str = field(default_factory=lambda: secrets.token_hex(16))
    webhook: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def env(self) -> dict[str, str]:
        """The settings; neither address answers, so that the server has something to complain of."""
        return {
            "RESTANTE_ABUSE_CONTACT": "abuse@post.example",
            "RESTANTE_PROOF_COST": "10",
            "RESTANTE_ORIGINS": "https://post.example",
            "RESTANTE_PRIVATE_TARGETS": "allow",
            "RESTANTE_SMTP_URL": f"smtp://restante:{self.smtp}@127.0.0.1:9",
            "RESTANTE_MAIL_FROM": "restante@post.example",
            "RESTANTE_WEBHOOK_URL": "http://127.0.0.1:9/hook",
            "RESTANTE_WEBHOOK_SECRET": self.webhook,
        }

    def canaries(self, server: Server) -> Iterator[Canary]:
        """The settings are nowhere but in memory; the key for push services is in the database, too."""
        yield Canary("mail password", self.smtp.encode(), home=IN_MEMORY)
        yield Canary("webhook secret", self.webhook.encode(), home=IN_MEMORY)
        with sqlite3.connect(server.data / "restante.sqlite3", timeout=10) as database:
            (vapid,) = database.execute("SELECT value FROM meta WHERE key = 'secret:vapid'").fetchone()
        yield Canary("push key", vapid, home=IN_DATABASE)


@dataclass
class SideJobs:
    """After the main job: bob gives links away and switches his page on, a stranger calls, ann makes new keys."""

    job: MainJob
    note: str = field(default_factory=lambda: f"note {secrets.token_urlsafe(24)}")
    caller: str = field(default_factory=lambda: f"caller {secrets.token_urlsafe(24)}")

    def run(self) -> list[Canary]:
        """Does them and returns every secret of theirs."""
        return [*self._link(), *self._page(), *self._keys(), *self._told()]

    def _link(self) -> Iterator[Canary]:
        made = self.job.ann.ok("link", "create", self.job.sent, "--json").json["url"]
        secret = unb64(urlsplit(made).fragment)
        yield from of_text("link secret", urlsplit(made).fragment, secret)
        yield from _of_access("link", link_access(secret))
        with Guest.at(made) as guest:
            guest.open()
            yield from _token("view token", guest._session)

    def _page(self) -> Iterator[Canary]:
        url = self.job.bob.ok("page", "on", "--note", self.note, "--json").json["url"]
        words = ("--name", self.caller, "--answer", "--json")
        answer = self.job.bob.ok("call", url, self.job.folder / self.job.file_name, *words).json["answer"]
        address = read_address(url)
        assert isinstance(address, PageAddress)
        assert address.secret is not None
        yield from of_text("greeting secret", urlsplit(url).fragment.rpartition(".")[2], address.secret)
        yield from _of_access("greeting", greeting_access(address.secret))
        yield from of_text("link secret", urlsplit(answer).fragment)
        yield from _of_access("link", link_access(unb64(urlsplit(answer).fragment)), is_shown=False)
        yield Canary("note", self.note.encode())
        yield Canary("caller", self.caller.encode())
        with Session(address.server) as session:
            session.token = calling._at_page(session, address).call.token
            yield from _token("call token", session)

    def _keys(self) -> Iterator[Canary]:
        """The state key that was: until all is sealed anew it stands among the former ones."""
        ann = self.job.ann
        with ann.account as account:
            yield from of_identity("former state", account.keyring.state_identity)
        ann.ok("rotate", "--signing", RESTANTE_PASSPHRASE=self.job.passphrase)
        with ann.account as account:
            yield from of_identity("state identity", account.keyring.state_identity)

    def _told(self) -> Iterator[Canary]:
        """Mail is written to ann, or would be: nobody takes it."""
        ann = self.job.ann
        ann.ok("notices", "--mail", "ann@mail.example", RESTANTE_PASSPHRASE=self.job.passphrase)
        yield from ()


def _of_access(use: str, access: Access, *, is_shown: bool = True) -> Iterator[Canary]:
    yield from of_identity(f"{use} identity", access.identity)
    yield Canary(f"{use} bearer", access.bearer, told=is_shown)


def _token(kind: str, session: Session) -> Iterator[Canary]:
    yield Canary(kind, session.token.encode(), told=True)
