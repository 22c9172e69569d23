"""Who may make an account: by an invite, by a mail address of certain domains, by a provider of identities."""

import asyncio
import re
import socket
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from restante.server.admission import provider as provider_room
from restante.server.admission.service import make_invite, revoke_invite
from restante.server.config import Settings
from tests.api.household import TurnedClock
from tests.api.inside import Inside, run
from tests.api.outside import MailSink, mail_sink
from tests.api.people import assert_problem, sign_up_form
from tests.api.test_operators import office
from tests.api.told import until
from tests.serving import serving

ORIGIN = "http://inside"
SIGN_UP = "/api/v1/sign-up"


async def sign_up(inside: Inside, name: str, ticket: str | None = None, **headers: str) -> httpx.Response:
    form = sign_up_form(name) | ({} if ticket is None else {"ticket": ticket})
    return await inside.client.post("/api/v1/accounts", json=form, headers=headers)


async def invite(inside: Inside, **options: Any) -> tuple[str, str]:
    asked = {"note": "", "most_uses": 1, "expires_at": None, "now_ms": inside.clock.now_ms(), **options}
    return await inside.house.database.write(lambda connection: make_invite(connection, **asked))


def test_an_invite_lets_in_as_often_as_it_says(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        _, code = await invite(inside, most_uses=2)
        problem = assert_problem(await sign_up(inside, "ann"), 403, "ticket-needed")
        assert problem["detail"] == "An invite from the operator is needed."
        assert (await sign_up(inside, "ann", f" {code.upper()} ")).status_code == 201
        taken = await sign_up(inside, "ann", code)
        assert_problem(taken, 409, "name-taken")
        assert (await sign_up(inside, "bob", code.replace("-", ""))).status_code == 201, (
            "a refusal used nothing up"
        )
        assert_problem(await sign_up(inside, "cleo", code), 403, "ticket-refused")
        info = (await inside.client.get("/api/v1/server")).json()
        assert (info["sign_up"], info["provider"]) == ("invite", "")

    run(tmp_path, scenario, sign_up="invite")


def test_of_many_who_show_one_invite_at_once_one_gets_in(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        _, code = await invite(inside)
        answers = await asyncio.gather(*(sign_up(inside, f"guest-{number}", code) for number in range(8)))
        assert sorted(answer.status_code for answer in answers) == [201, *[403] * 7]

    run(tmp_path, scenario, sign_up="invite")


def test_a_death_amid_a_sign_up_uses_no_invite_up(tmp_path: Path) -> None:
    with serving(tmp_path / "data", RESTANTE_SIGN_UP="invite") as server:
        made = office(server.data, "invites", "make", "--uses", "1", "--json").stdout
        code = re.findall(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}", made)[0]
        server.kill()
        server.start(RESTANTE_FAILPOINT="admission-written:1")
        with httpx.Client(base_url=server.url) as nobody:
            with pytest.raises(httpx.TransportError):
                nobody.post("/api/v1/accounts", json=sign_up_form("ann") | {"ticket": code})
            server.kill()
            server.start()
            again = [
                nobody.post("/api/v1/accounts", json=sign_up_form(name) | {"ticket": code})
                for name in ("ann", "bob")
            ]
        assert [answer.status_code for answer in again] == [201, 403]


@pytest.mark.parametrize("code", ["", "x", "aaaa-bbbb-cccc-dddd", "aaaa-bbbb", "€€€€", "a.b", "e30.AAAA"])
def test_what_is_no_invite_lets_nobody_in(tmp_path: Path, code: str) -> None:
    async def scenario(inside: Inside) -> None:
        answer = await sign_up(inside, "ann", code)
        assert answer.status_code in {403, 422}
        assert answer.json()["code"] in {"ticket-refused", "invalid"}

    run(tmp_path, scenario, sign_up="invite")


def test_an_invite_ends_by_time_and_by_its_maker(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        _, short = await invite(inside, expires_at=inside.clock.now_ms() + 1000)
        revoked_id, revoked = await invite(inside)
        await inside.house.database.write(
            lambda connection: revoke_invite(connection, revoked_id, now_ms=inside.clock.now_ms())
        )
        inside.clock.ahead_s = 2
        assert_problem(await sign_up(inside, "ann", short), 403, "ticket-refused")
        assert_problem(await sign_up(inside, "ann", revoked), 403, "ticket-refused")

    run(tmp_path, scenario, sign_up="invite")


def test_closed_is_closed_to_invites_too(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        _, code = await invite(inside)
        assert_problem(await sign_up(inside, "ann", code), 403, "sign-up-closed")

    run(tmp_path, scenario, sign_up="closed")


# By mail


def test_an_address_of_the_domain_makes_one_account(tmp_path: Path) -> None:
    async def scenario(inside: Inside, sink: MailSink) -> None:
        assert_problem(await sign_up(inside, "ann"), 403, "ticket-needed")
        for stranger in ("ann@else.example", "ann@sub.post.example", "ann@post.example.evil.example"):
            asked = await inside.client.post(f"{SIGN_UP}/codes", json={"mail": stranger})
            problem = assert_problem(asked, 403, "wrong-domain")
            assert problem["detail"] == "post.example"
        asked = await inside.client.post(f"{SIGN_UP}/codes", json={"mail": "Ann@Post.example"})
        await until(inside, lambda: len(sink.mails) == 1)
        code = str(sink.mails[0]["subject"]).split()[-1]
        form = {"mail": "ann@post.example", "code": code, **asked.json()}
        wrong = {**form, "code": f"{(int(code) + 1) % 10**8:08}"}
        later = {**form, "expires_at": form["expires_at"] + 1}
        other = {**form, "mail": "bob@post.example"}
        for bad in (wrong, later, other):
            assert_problem(await inside.client.post(f"{SIGN_UP}/tickets", json=bad), 403, "wrong-code")
        ticket = (await inside.client.post(f"{SIGN_UP}/tickets", json=form)).json()["ticket"]
        forged = f"{ticket.split('.')[0]}.{'A' * 43}"
        assert_problem(await sign_up(inside, "ann", forged), 403, "ticket-refused")
        assert (await sign_up(inside, "ann", ticket)).status_code == 201
        assert_problem(await sign_up(inside, "bob", ticket), 409, "ticket-used")
        _, code = await invite(inside)
        assert (await sign_up(inside, "bob", code)).status_code == 201, "an invite lets in here too"

    mailed(tmp_path, scenario)


def test_tickets_and_codes_are_good_for_half_an_hour(tmp_path: Path) -> None:
    async def scenario(inside: Inside, sink: MailSink) -> None:
        asked = await inside.client.post(
            f"{SIGN_UP}/codes", json={"mail": "ann@post.example", "language": "fr"}
        )
        await until(inside, lambda: len(sink.mails) == 1)
        assert "Votre code" in str(sink.mails[0]["subject"])
        form = {"mail": "ann@post.example", "code": str(sink.mails[0]["subject"]).split()[-1], **asked.json()}
        ticket = (await inside.client.post(f"{SIGN_UP}/tickets", json=form)).json()["ticket"]
        inside.clock.ahead_s = 1801
        assert_problem(await inside.client.post(f"{SIGN_UP}/tickets", json=form), 403, "wrong-code")
        assert_problem(await sign_up(inside, "ann", ticket), 403, "ticket-refused")

    mailed(tmp_path, scenario)


def mailed(folder: Path, scenario: Callable[[Inside, MailSink], Awaitable[None]]) -> None:
    async def main() -> None:
        async with mail_sink() as sink:
            settings = {"smtp_url": sink.url, "mail_from": "restante@post.example"}

            async def inner(inside: Inside) -> None:
                await scenario(inside, sink)

            domains = {"sign_up": "domains", "sign_up_domains": ("post.example",)}
            await asyncio.to_thread(run, folder, inner, origins=(ORIGIN,), **settings, **domains)

    asyncio.run(main())


# By a provider

LIBRARYS_OWN = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""What the provider's libraries say of each other, in its threads."""


def provided(folder: Path, scenario: Callable[[Inside, str], Awaitable[None]], **settings: Any) -> None:
    """Runs it beside a real OpenID Connect server on loopback."""
    with warnings.catch_warnings(record=True):
        from oidc_provider_mock import run_server_in_thread  # noqa: PLC0415 - it warns when it is loaded
    with run_server_in_thread(require_client_registration=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        body = {"redirect_uris": [f"{ORIGIN}{provider_room.RETURN}"]}
        client = httpx.post(f"{issuer}/oauth2/clients", json=body, trust_env=False).json()
        known = {"oidc_issuer": issuer, "oidc_client": client["client_id"], "oidc_name": "The Works"}
        run(
            folder,
            lambda inside: scenario(inside, issuer),
            origins=(ORIGIN,),
            oidc_secret=client["client_secret"],
            **{"sign_up": "provider"} | known | settings,
        )


async def visit(inside: Inside, who: str, asked: str = "") -> tuple[httpx.Response, str]:
    """Goes to the provider as a browser does, logs in there, and comes back; returns how, and the browser's cookie."""
    begun = await inside.client.get(f"{SIGN_UP}/provider{asked}")
    assert begun.status_code == 303, begun.text
    cookie = re.match(r"__Host-provider=([^;]+);", begun.headers["set-cookie"])
    assert cookie
    inside.client.cookies.clear()
    login = await asyncio.to_thread(httpx.post, begun.headers["location"], data={"sub": who}, trust_env=False)
    assert login.status_code in {302, 303}, login.text
    back = urlsplit(login.headers["location"])
    answer = await came_back(inside, back.query, cookie[1])
    return answer, cookie[1]


async def came_back(inside: Inside, query: str, cookie: str) -> httpx.Response:
    headers = {"cookie": f"__Host-provider={cookie}"} if cookie else {}
    return await inside.client.get(f"{provider_room.RETURN}?{query}", headers=headers)


def fragment(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    assert answer.status_code == 303, answer.text
    where = urlsplit(answer.headers["location"])
    assert not where.query
    return where.path, {key: values[0] for key, values in parse_qs(where.fragment).items()}


@LIBRARYS_OWN
def test_an_identity_makes_one_account_and_finds_it_again(tmp_path: Path) -> None:
    async def scenario(inside: Inside, issuer: str) -> None:
        info = (await inside.client.get("/api/v1/server")).json()
        assert (info["sign_up"], info["provider"]) == ("provider", "The Works")
        assert_problem(await sign_up(inside, "ann"), 403, "ticket-needed")
        answer, cookie = await visit(inside, "ann@works.example")
        path, said = fragment(answer)
        assert path == "/sign-up"
        ours = {"cookie": f"__Host-provider={cookie}", "sec-fetch-site": "same-origin"}
        assert_problem(await sign_up(inside, "ann", said["ticket"]), 403, "ticket-refused")
        assert (await sign_up(inside, "ann", said["ticket"], **ours)).status_code == 201
        assert_problem(await sign_up(inside, "eve", said["ticket"], **ours), 409, "ticket-used")
        answer, _ = await visit(inside, "ann@works.example")
        assert fragment(answer) == ("/sign-in", {"name": "ann"})
        assert "set-cookie" not in answer.headers, "it signs nobody in"
        other, _ = await visit(inside, "bob@works.example")
        assert fragment(other)[0] == "/sign-up"

    provided(tmp_path, scenario)


@LIBRARYS_OWN
def test_a_visit_counts_in_the_browser_that_began_it_and_once(tmp_path: Path) -> None:
    async def scenario(inside: Inside, issuer: str) -> None:
        begun = await inside.client.get(f"{SIGN_UP}/provider")
        cookie = begun.headers["set-cookie"].split(";")[0].partition("=")[2]
        inside.client.cookies.clear()
        asked = {
            key: values[0] for key, values in parse_qs(urlsplit(begun.headers["location"]).query).items()
        }
        assert asked["code_challenge_method"] == "S256"
        login = await asyncio.to_thread(
            httpx.post, begun.headers["location"], data={"sub": "ann"}, trust_env=False
        )
        query = urlsplit(login.headers["location"]).query
        failed = ("/sign-up", {"failed": "provider-failed"})
        assert fragment(await came_back(inside, query, "")) == failed
        assert fragment(await came_back(inside, query, "x" * 43)) == failed
        assert fragment(await came_back(inside, query.replace("state=", "state=x"), cookie)) == failed
        assert "ticket" in fragment(await came_back(inside, query, cookie))[1]
        assert fragment(await came_back(inside, query, cookie)) == failed, "a code is good once"
        assert fragment(await came_back(inside, "error=access_denied", cookie)) == failed

    provided(tmp_path, scenario)


def test_without_a_provider_there_is_no_visit(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        assert_problem(await inside.client.get(f"{SIGN_UP}/provider"), 404, "not-found")
        assert_problem(await inside.client.get(provider_room.RETURN), 404, "not-found")

    run(tmp_path, scenario)


def test_a_provider_that_is_not_there_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    async def scenario(inside: Inside) -> None:
        assert_problem(await inside.client.get(f"{SIGN_UP}/provider"), 502, "provider-failed")

    known = {"oidc_issuer": f"http://localhost:{port}", "oidc_client": "c", "oidc_secret": "s"}
    run(tmp_path, scenario, origins=(ORIGIN,), sign_up="provider", **known)


KEY = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
STRANGER = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
ISSUER, CLIENT, NONCE, NOW_S = "https://login.example", "client", "nonce", 1_900_000_000
RIGHT = {"iss": ISSUER, "aud": CLIENT, "sub": "ann", "nonce": NONCE, "iat": NOW_S, "exp": NOW_S + 600}
BAD_TOKENS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another issuer": ({"iss": "https://evil.example"}, {}),
    "for another client": ({"aud": "else"}, {}),
    "for another authorized party": ({"aud": [CLIENT, "else"], "azp": "else"}, {}),
    "another nonce": ({"nonce": "else"}, {}),
    "no nonce": ({"nonce": None}, {}),
    "too old": ({"exp": NOW_S - 61}, {}),
    "no end": ({"exp": None}, {}),
    "nobody": ({"sub": None}, {}),
    "somebody without a name": ({"sub": ""}, {}),
    "somebody who is no text": ({"sub": 7}, {}),
    "signed by somebody else": ({}, {"key": STRANGER}),
    "signed with a shared secret": ({}, {"alg": "HS256"}),
}


@pytest.mark.parametrize("how", BAD_TOKENS)
def test_a_token_that_is_not_right_is_refused(how: str) -> None:
    changes, making = BAD_TOKENS[how]
    claims = {key: value for key, value in (RIGHT | changes).items() if value is not None}
    assert judged(token_of(RIGHT)) == (ISSUER, "ann"), "the control"
    with pytest.raises(provider_room.ProviderFailed):
        judged(token_of(claims, **making))


def test_a_token_without_signature_is_refused() -> None:
    head, payload, _ = token_of(RIGHT).split(".")
    for forged in (f"{head}.{payload}.", "eyJhbGciOiJub25lIn0." + payload + ".", "", "a.b.c"):
        with pytest.raises(provider_room.ProviderFailed):
            judged(forged)


def token_of(claims: dict[str, Any], *, key: RSAKey = KEY, alg: str = "RS256") -> str:
    signer: Any = OctKey.import_key("s" * 32) if alg == "HS256" else key
    return jwt.encode({"alg": alg, "kid": "1"}, claims, signer, algorithms=[alg])


def judged(token: str) -> tuple[str, str]:
    settings = Settings(oidc_issuer=ISSUER, oidc_client=CLIENT, oidc_secret="s" * 32)
    made = provider_room.Provider(settings, TurnedClock(NOW_S * 1000), key=b"k" * 32)
    return made._subject(token, KeySet([KEY]), nonce=NONCE)
