"""One's own answering page: on or off, its link, what it says, its greeting.

>>> page = OwnPage(account)
>>> page.switch_on(access="anyone", note="Back on Monday")
>>> page.url.startswith(f"{account.identity.server}/@{account.identity.name}#")
True

The 16-byte secret of the link is kept in the state shard ``settings``, so that every device can show the link.
"""

import secrets
from pathlib import Path

import msgspec

from restante.client.account import Account, now_ms
from restante.client.errors import PageOff
from restante.client.http import JSON
from restante.client.incoming import Mailbox
from restante.client.links import Terms, draft_for, post_link, revoke
from restante.client.outgoing import Report, send_to_links
from restante.client.shards import change_shard, load_shard
from restante.crypto.kdf import Access, greeting_access
from restante.crypto.profile import Profile, open_profile, seal_profile
from restante.crypto.state import SETTINGS, Setting, Settings
from restante.protocol import ijson
from restante.protocol.encoding import b64, unb64
from restante.protocol.wire_pages import OwnPage as Stored
from restante.protocol.wire_pages import PageAccess, PutPage, Schedule
from restante.signing.keys import fp

SETTING = "page"
"""The key in ``settings`` under which the secret of the page's link stands."""
_SECRET_BYTES = 16
_PATH = "/api/v1/account/page"


class OwnPage:
    """The page as it is stored, fetched once, and the secret of its link."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.stored = account.session.get(_PATH, Stored)
        setting = load_shard(account, SETTINGS, Settings).settings.get(SETTING)
        self._secret = _read(setting)

    @property
    def url(self) -> str:
        """The address to give to others. Raises PageOff."""
        identity = self._account.identity
        mine = fp(self._account.keyring.signing_key.public)
        return f"{identity.server}/@{identity.name}#{mine}.{b64(self._require())}"

    @property
    def profile(self) -> Profile | None:
        """What the page says to those who have its link. Raises PageDamaged, WrongSigner."""
        if self.stored.profile is None or self._secret is None:
            return None
        sealed, identity = unb64(self.stored.profile), greeting_access(self._secret).identity
        return open_profile(sealed, identity, acct=self._account.acct, keys=self._account.me.keys)

    def switch_on(
        self,
        *,
        access: PageAccess | None = None,
        note: str | None = None,
        schedule: Schedule | msgspec.UnsetType | None = msgspec.UNSET,
    ) -> None:
        """Lets callers find the page; what is not given stays as it was, an empty note goes."""
        if self._secret is None:
            self._new_secret()
        before = self.profile
        words = note if note is not None else (before.note if before else None)
        self._store(
            on=True,
            access=access or self.stored.access,
            schedule=self.stored.schedule if schedule is msgspec.UNSET else schedule,
            greeting=self.stored.greeting,
            profile=self._sealed(before.greeting if before else None, words or None),
        )

    def switch_off(self) -> None:
        """Hides the page; link, greeting and words are kept for the next time."""
        self._change(on=False)

    def greet_with(
        self, video: Path, *, captions: str | None = None, report: Report = lambda _: None
    ) -> None:
        """Puts a video on the page in place of an earlier greeting. Raises as ``outgoing.send`` does, and PageOff."""
        access, before = greeting_access(self._require()), self.profile
        links = [draft_for(access, Terms())]
        sent = send_to_links(self._account, video, links, captions=captions, report=report)
        old = self.stored.greeting
        words = before.note if before else None
        self._change(greeting=sent.links[0], profile=self._sealed(sent.id, words))
        self._end(old, before.greeting if before else None)

    def stop_greeting(self) -> None:
        """Takes the greeting off the page, and deletes it."""
        before, old = self.profile, self.stored.greeting
        self._change(greeting=None, profile=self._sealed(None, before.note if before else None))
        self._end(old, before.greeting if before else None)

    def rotate(self) -> str:
        """Makes another link; with the old one nobody sees the greeting, and nobody calls where a link is asked for."""
        self._require()
        before, old = self.profile, self.stored.greeting
        access = self._new_secret()
        greeting = before.greeting if before else None
        link = None
        if greeting is not None:
            item = Mailbox(self._account).find(greeting)
            link = post_link(self._account, item, draft_for(access, Terms())).id
        self._change(greeting=link, profile=self._sealed(greeting, before.note if before else None))
        if old is not None:
            revoke(self._account, old)
        return self.url

    def _require(self) -> bytes:
        if self._secret is None:
            raise PageOff
        return self._secret

    def _new_secret(self) -> Access:
        secret = secrets.token_bytes(_SECRET_BYTES)
        chosen = Settings(settings={SETTING: Setting(value=b64(secret), at=now_ms())})
        change_shard(self._account, SETTINGS, Settings, lambda shard: shard.merge(chosen))
        self._secret = secret
        return greeting_access(secret)

    def _sealed(self, greeting: str | None, note: str | None) -> str:
        profile = Profile(acct=self._account.acct, created=now_ms(), greeting=greeting, note=note)
        identity = greeting_access(self._require()).identity
        return b64(seal_profile(profile, identity, self._account.keyring.signing_key))

    def _change(self, **fields: object) -> None:
        kept = {name: getattr(self.stored, name) for name in PutPage.__struct_fields__}
        self._store(**kept | fields)

    def _store(self, **fields: object) -> None:
        bearer = b64(greeting_access(self._require()).bearer_sha256)
        page = PutPage(**fields | {"bearer_sha256": bearer})  # type: ignore[arg-type] # its own fields
        answer = self._account.session.call("PUT", _PATH, content=ijson.encode(page), headers=JSON)
        self.stored = answer.decode(Stored)

    def _end(self, link: str | None, greeting: str | None) -> None:
        """Ends a greeting that is on the page no more."""
        if link is not None:
            revoke(self._account, link)
        if greeting is not None:
            Mailbox(self._account).delete_for_everyone(greeting)


def _read(setting: Setting | None) -> bytes | None:
    if setting is None or not isinstance(setting.value, str):
        return None
    try:
        return unb64(setting.value, size=_SECRET_BYTES)
    except ValueError:
        return None
