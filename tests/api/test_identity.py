"""An account that there is, linked to who somebody is at the operator's provider: found by it, opened by nothing of it."""

from pathlib import Path

import httpx
from sqlalchemy import select

from restante.server.db.entry_tables import admissions
from tests.api.inside import Inside, run
from tests.api.people import assert_problem
from tests.api.test_admission import (
    LIBRARYS_OWN,
    SIGN_UP,
    came_back,
    fragment,
    invite,
    provided,
    sign_up,
    visit,
)

IDENTITY = "/api/v1/account/identity"
FOR_ACCOUNT = "?for=account"


async def linked(inside: Inside, who: str, headers: dict[str, str]) -> httpx.Response:
    """Visits the provider and shows what came of it, in the same browser."""
    answer, cookie = await visit(inside, who, FOR_ACCOUNT)
    path, said = fragment(answer)
    assert path == "/settings/identity"
    ours = headers | {"cookie": f"__Host-provider={cookie}", "sec-fetch-site": "same-origin"}
    return await inside.client.put(IDENTITY, json={"ticket": said["ticket"]}, headers=ours)


@LIBRARYS_OWN
def test_an_account_is_linked_found_and_unlinked(tmp_path: Path) -> None:
    async def scenario(inside: Inside, issuer: str) -> None:
        ann, bob = await inside.sign_up("ann"), await inside.sign_up("bob")
        nothing = {"provider": "The Works", "since": None, "may_unlink": True}
        assert (await inside.client.get(IDENTITY, headers=ann)).json() == nothing
        answer, _ = await visit(inside, "ann@works.example")
        assert fragment(answer)[0] == "/sign-up", "the control: nobody is found yet"
        now = (await linked(inside, "ann@works.example", ann)).json()
        assert (now["since"] is not None, now["may_unlink"]) == (True, True)
        assert (await inside.client.get(IDENTITY, headers=ann)).json() == now
        assert (await linked(inside, "ann@works.example", ann)).json() == now, "once more is the same"
        answer, _ = await visit(inside, "ann@works.example")
        assert fragment(answer) == ("/sign-in", {"name": "ann"})
        assert "set-cookie" not in answer.headers, "it signs nobody in"
        assert_problem(await linked(inside, "ann@works.example", bob), 409, "ticket-used")
        assert_problem(await linked(inside, "else@works.example", ann), 409, "identity-linked")
        rows = await inside.house.database.read(
            lambda connection: list(connection.execute(select(admissions)))
        )
        assert [row.kind for row in rows] == ["linked"]
        assert "works" not in str(rows), "only a keyed hash is kept"
        assert (await inside.client.delete(IDENTITY, headers=ann)).status_code == 204
        assert (await inside.client.get(IDENTITY, headers=ann)).json() == nothing
        answer, _ = await visit(inside, "ann@works.example")
        assert fragment(answer)[0] == "/sign-up"
        assert (await linked(inside, "ann@works.example", bob)).status_code == 200

    provided(tmp_path, scenario, sign_up="open")


@LIBRARYS_OWN
def test_what_proves_an_identity_counts_in_its_browser_only_and_for_half_an_hour(tmp_path: Path) -> None:
    async def scenario(inside: Inside, issuer: str) -> None:
        ann = await inside.sign_up("ann")
        answer, cookie = await visit(inside, "eve@works.example", FOR_ACCOUNT)
        ticket = {"ticket": fragment(answer)[1]["ticket"]}
        assert_problem(await inside.client.put(IDENTITY, json=ticket, headers=ann), 403, "ticket-refused")
        same = {"sec-fetch-site": "same-origin"}
        theirs = ann | same | {"cookie": f"__Host-provider={'x' * 43}"}
        assert_problem(await inside.client.put(IDENTITY, json=ticket, headers=theirs), 403, "ticket-refused")
        _, code = await invite(inside)
        ours = ann | same | {"cookie": f"__Host-provider={cookie}"}
        refused = await inside.client.put(IDENTITY, json={"ticket": code}, headers=ours)
        assert_problem(refused, 403, "ticket-refused")
        inside.clock.ahead_s = 1801
        assert_problem(await inside.client.put(IDENTITY, json=ticket, headers=ours), 403, "ticket-refused")
        inside.clock.ahead_s = 0
        assert (await inside.client.put(IDENTITY, json=ticket, headers=ours)).status_code == 200, (
            "the control"
        )
        assert_problem(await inside.client.put(IDENTITY, json=ticket), 401, "not-signed-in")

    provided(tmp_path, scenario, sign_up="open")


@LIBRARYS_OWN
def test_where_the_provider_lets_in_an_identity_makes_one_account_for_good(tmp_path: Path) -> None:
    async def scenario(inside: Inside, issuer: str) -> None:
        answer, cookie = await visit(inside, "ann@works.example")
        ours = {"cookie": f"__Host-provider={cookie}", "sec-fetch-site": "same-origin"}
        made = await sign_up(inside, "ann", fragment(answer)[1]["ticket"], **ours)
        ann = {"authorization": f"Bearer {made.json()['token']}"}
        assert (await inside.client.get(IDENTITY, headers=ann)).json()["may_unlink"] is False
        assert_problem(await inside.client.delete(IDENTITY, headers=ann), 409, "identity-needed")
        _, code = await invite(inside)
        bob = {"authorization": f"Bearer {(await sign_up(inside, 'bob', code)).json()['token']}"}
        assert (await linked(inside, "bob@works.example", bob)).status_code == 200
        answer, cookie = await visit(inside, "bob@works.example")
        assert fragment(answer) == ("/sign-in", {"name": "bob"}), "a linked identity makes no second account"
        assert (await inside.client.delete(IDENTITY, headers=bob)).status_code == 204

    provided(tmp_path, scenario)


@LIBRARYS_OWN
def test_a_visit_that_fails_leads_back_to_where_it_began(tmp_path: Path) -> None:
    async def scenario(inside: Inside, issuer: str) -> None:
        begun = await inside.client.get(f"{SIGN_UP}/provider{FOR_ACCOUNT}")
        cookie = begun.headers["set-cookie"].split(";")[0].partition("=")[2]
        state = httpx.URL(begun.headers["location"]).params["state"]
        inside.client.cookies.clear()
        answer = await came_back(inside, f"error=access_denied&state={state}", cookie)
        assert fragment(answer) == ("/settings/identity", {"failed": "provider-failed"})
        assert fragment(await came_back(inside, f"state={state}x", cookie))[0] == "/sign-up"
        asked = await inside.client.get(f"{SIGN_UP}/provider?for=nothing")
        assert_problem(asked, 422, "invalid")

    provided(tmp_path, scenario)


def test_without_a_provider_there_is_nothing_to_link(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann = await inside.sign_up("ann")
        nothing = {"provider": "", "since": None, "may_unlink": True}
        assert (await inside.client.get(IDENTITY, headers=ann)).json() == nothing
        assert (await inside.client.delete(IDENTITY, headers=ann)).status_code == 204
        refused = await inside.client.put(IDENTITY, json={"ticket": "e30.AAAA"}, headers=ann)
        assert_problem(refused, 403, "ticket-refused")

    run(tmp_path, scenario)
