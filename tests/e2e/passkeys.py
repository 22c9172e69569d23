"""Passkeys in Chromium: virtual authenticators, and what their person does with them."""

import base64
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.e2e.browsing import Visitor
from tests.e2e.mailbox import arrived, prove, written_code

PRF_OF = """async id => {
  const bytes = text => Uint8Array.from(atob(text), sign => sign.charCodeAt(0));
  const first = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('restante/1 prf')));
  const publicKey = {
    challenge: new Uint8Array(32), rpId: location.hostname, userVerification: 'required',
    allowCredentials: [{ type: 'public-key', id: bytes(id) }], extensions: { prf: { eval: { first } } },
  };
  const got = await navigator.credentials.get({ publicKey });
  return [...new Uint8Array(got.getClientExtensionResults().prf.results.first)];
}"""
"""What a passkey's PRF gives to the app: the secret U."""


@dataclass
class Authenticator:
    """A security chip of one page, until that loads another document."""

    session: CDPSession
    id: str

    @classmethod
    def of(cls, page: Page, **options: Any) -> "Authenticator":
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable", {"enableUI": False})
        return cls(session, "").another(**options)

    def another(self, **options: Any) -> "Authenticator":
        """One more for the same page."""
        everything = {
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "hasPrf": True,
            "automaticPresenceSimulation": True,
            **options,
        }
        made = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": everything})
        return Authenticator(self.session, made["authenticatorId"])

    @property
    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._send("WebAuthn.getCredentials")["credentials"]
        return found

    def hide(self, *, hidden: bool = True) -> None:
        """Whoever holds it does not touch it."""
        self._send("WebAuthn.setAutomaticPresenceSimulation", enabled=not hidden)

    def verify(self, *, verified: bool) -> None:
        """Whether the finger is the right one."""
        self._send("WebAuthn.setUserVerified", isUserVerified=verified)

    def lose(self) -> None:
        self._send("WebAuthn.removeVirtualAuthenticator")

    def forget_the_rest(self, page: Page, visitor: Visitor) -> None:
        """The browser is as new, but for this chip. By its own session: the end of another one would take it away."""
        self.session.send("Storage.clearDataForOrigin", {"origin": visitor.url, "storageTypes": "all"})
        page.context.clear_cookies()

    def secret(self, page: Page) -> bytes:
        """What its first passkey gives to the app."""
        return bytes(page.evaluate(PRF_OF, self.credentials[0]["credentialId"]))

    def _send(self, command: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.session.send(command, {"authenticatorId": self.id, **more})
        return answer


def begin(page: Page, name: str) -> None:
    """Chooses name and passkey on the sign-up page."""
    page.get_by_label("Your name here").fill(name)
    page.get_by_role("button", name="Go on with a passkey").click()


def open_by_touch(page: Page, name: str) -> str:
    """Signs up by a passkey, and arrives in the inbox; returns the recovery code."""
    begin(page, name)
    code = written_code(page)
    page.get_by_role("button", name="I have written it down").click()
    prove(page, code, button="Go on")
    arrived(page)
    return code


def sign_in_by_touch(page: Page, chip: Authenticator) -> None:
    """By the button, and a chip that was hidden when the page came: else it takes the offer to fill it in at once.

    On a busy machine the offer may still be quicker than the press, and the button gone.
    """
    button = page.get_by_role("button", name="Sign in with a passkey")
    button.wait_for()
    chip.hide(hidden=False)
    with suppress(PlaywrightTimeout):
        button.click(timeout=5_000)


def spellings(secret: bytes) -> list[str]:
    """How bytes may stand in a text."""
    plain, url = base64.b64encode(secret).decode(), base64.urlsafe_b64encode(secret).decode()
    numbers = ",".join(str(byte) for byte in secret)
    return [plain.rstrip("="), url.rstrip("="), secret.hex(), numbers, secret.decode("latin-1")]
