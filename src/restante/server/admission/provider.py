"""A visit at the operator's provider of identities: OpenID Connect, authorization code with PKCE.

[Note: A provider opens nothing] What comes of a visit is who somebody is there: enough to make an account or to link one, or to
be told how the one that they made or linked is called. It signs nobody in: that and opening the keyring stay with passkey, passphrase and recovery code,
so a provider that lies, or its operator, gets no further than an empty account.

The state, the nonce and the verifier are MACs of a random cookie, so nothing of a visit is stored.
"""

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped] # Authlib has no types
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped] # likewise
from authlib.oidc.core.claims import CodeIDToken  # type: ignore[import-untyped] # likewise
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from restante.protocol.encoding import b64
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.errors import Refusal

WITHIN_S = 15.0
FRESH_FOR_S = 3600.0
LEEWAY_S = 60
ANSWER_BYTES = 256 * 1024
RETURN = "/api/v1/sign-up/provider/return"
Purpose = Literal["sign-up", "account"]
"""Why somebody visits: to make an account or find the one they made, or to link the one that they are signed in to."""
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures by a key that the provider publishes; never `none`, never a shared secret."""


class ProviderFailed(Refusal):
    """The provider gave what cannot be taken; ``reason`` is for the log, ``purpose`` why it was visited, if that is known."""

    def __init__(self, reason: str, purpose: Purpose = "sign-up") -> None:
        super().__init__("provider-failed")
        self.reason = reason
        self.purpose = purpose


@dataclass(frozen=True, slots=True)
class Visit:
    """Where to send the browser, and the cookie by which it is known when it comes back."""

    url: str
    browser: str


class Provider:
    """One issuer. What it publishes about itself is fetched when first needed, and again after an hour."""

    def __init__(self, settings: Settings, clock: Clock, *, key: bytes) -> None:
        self._issuer = settings.oidc_issuer
        self._client_id = settings.oidc_client
        self._secret = settings.oidc_secret
        self._return = f"{settings.origins[0]}{RETURN}" if settings.origins else RETURN
        self._clock = clock
        self._key = key
        self._http: httpx.AsyncClient | None = None
        self._about: tuple[float, dict[str, Any], KeySet] | None = None
        self._asking = asyncio.Lock()

    @property
    def host(self) -> str:
        """Where it is."""
        return httpx.URL(self._issuer).host

    async def begin(self, purpose: Purpose = "sign-up") -> Visit:
        """Begins a visit. Raises ProviderFailed."""
        about, _ = await self._known()
        browser = b64(secrets.token_bytes(32))
        verifier = self._derived("verifier", browser)
        url = prepare_grant_uri(
            about["authorization_endpoint"],
            self._client_id,
            "code",
            redirect_uri=self._return,
            scope="openid",
            state=self._state(purpose, browser),
            nonce=self._derived("nonce", browser),
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Visit(url, browser)

    async def finish(self, *, browser: str, state: str, code: str) -> tuple[Purpose, str, str]:
        """Ends a visit; returns why there was one, issuer and subject. Raises ProviderFailed."""
        purpose = self._purpose(browser, state)
        try:
            return purpose, *await self._identity(browser, code)
        except ProviderFailed as failed:
            failed.purpose = purpose
            raise

    async def close(self) -> None:
        """Closes connections."""
        if self._http is not None:
            await self._http.aclose()

    async def _identity(self, browser: str, code: str) -> tuple[str, str]:
        about, keys = await self._known()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._return,
            "code_verifier": self._derived("verifier", browser),
        }
        answer = await self._asked(
            "POST", about["token_endpoint"], data=form, auth=(self._client_id, self._secret)
        )
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderFailed("no id_token")
        return self._subject(token, keys, nonce=self._derived("nonce", browser))

    def _subject(self, token: str, keys: KeySet, *, nonce: str) -> tuple[str, str]:
        options = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self._client_id},
            "nonce": {"essential": True, "value": nonce},
        }
        try:
            signed = jwt.decode(token, keys, algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                signed.claims, signed.header, options, {"nonce": nonce, "client_id": self._client_id}
            )
            claims.validate(now=self._clock.now_ms() // 1000, leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderFailed(type(error).__name__) from error
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise ProviderFailed("subject")
        return self._issuer, subject

    async def _known(self) -> tuple[dict[str, Any], KeySet]:
        async with self._asking:
            now_s = self._clock.monotonic_s()
            if self._about is None or now_s - self._about[0] > FRESH_FOR_S:
                about = await self._asked(
                    "GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                )
                if about.get("issuer") != self._issuer:
                    raise ProviderFailed("issuer")
                for endpoint in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    if not is_address(about.get(endpoint)):
                        raise ProviderFailed(endpoint)
                try:
                    keys = KeySet.import_key_set(await self._asked("GET", about["jwks_uri"]))  # type: ignore[arg-type] # judged there
                except (JoseError, ValueError, TypeError, KeyError) as error:
                    raise ProviderFailed("keys") from error
                self._about = now_s, about, keys
            return self._about[1], self._about[2]

    async def _asked(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        if self._http is None:
            self._http = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=WITHIN_S)
        try:
            async with asyncio.timeout(WITHIN_S):
                answer = await self._http.request(method, url, **options)
            found = (
                answer.json() if answer.status_code == 200 and len(answer.content) <= ANSWER_BYTES else None
            )
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError) as error:
            raise ProviderFailed(type(error).__name__) from error
        if not isinstance(found, dict):
            raise ProviderFailed(f"status {answer.status_code}")
        return found

    def _purpose(self, browser: str, state: str) -> Purpose:
        """Why the visit was begun that comes back with this state."""
        for purpose in get_args(Purpose):
            if browser and hmac.compare_digest(state.encode(), self._state(purpose, browser).encode()):
                return cast("Purpose", purpose)
        raise ProviderFailed("state")

    def _state(self, purpose: Purpose, browser: str) -> str:
        return self._derived(f"state {purpose}", browser)

    def _derived(self, purpose: str, browser: str) -> str:
        text = f"provider\0{purpose}\0{browser}".encode()
        return b64(hmac.new(self._key, text, hashlib.sha256).digest())


def is_address(text: object) -> bool:
    """Tells whether the server may speak to an address: by https, or to this very machine."""
    if not isinstance(text, str):
        return False
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    local = url.host in {"localhost", "127.0.0.1", "::1"}
    return bool(url.host) and (url.scheme == "https" or (url.scheme == "http" and local))
