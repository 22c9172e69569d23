"""`restante operator plans`, `grants` and `payments`, beside a server's data."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from restante.server.commands.plans import grants, payments, plans
from tests.api.inside import Inside, opened
from tests.api.planned import PREMIUM, TRIAL, declare, send_video, standing

WAY = '[payments]\nprovider = "manual"\nwords = "Send it."\n'


def test_the_operator_gives_records_and_takes_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declare(tmp_path, TRIAL.replace("messages = 20", "messages = 1") + PREMIUM + WAY)

    def told(ended: int) -> Any:
        assert ended == 0
        return json.loads(capsys.readouterr().out)

    async def scenario(inside: Inside) -> None:
        ann, _ = await inside.sign_up("ann"), await inside.sign_up("bob")
        capsys.readouterr()
        gift = told(grants("give", "ann", videos=2, reason="thank you", data=tmp_path, json=True))
        assert (gift["account"], gift["videos"], gift["source"], gift["ends_at"]) == (
            "ann",
            2,
            "operator",
            None,
        )
        for _ in range(3):
            await send_video(inside, ann, "bob")
        assert (await standing(inside, ann))["messages"] == 3
        capsys.readouterr()
        paid = told(payments("ann", "premium", reference="bank 1", data=tmp_path, json=True))
        again = told(payments("ann", "premium", reference="bank 1", data=tmp_path, json=True))
        assert again == paid
        assert (await standing(inside, ann))["plan"]["id"] == "premium"
        capsys.readouterr()
        assert payments("bob", "premium", reference="bank 1", data=tmp_path) == 2
        assert "recorded for another payment" in capsys.readouterr().err
        assert [one["id"] for one in told(grants("list", "ann", data=tmp_path, json=True))] == [
            paid["id"],
            gift["id"],
        ]
        ended = told(grants("end", paid["id"][:12], data=tmp_path, json=True))
        assert ended["ends_at"] <= inside.clock.now_ms()
        assert (await standing(inside, ann))["plan"]["id"] == "trial"

    async def main() -> None:
        async with opened(tmp_path) as inside:
            await asyncio.wait_for(scenario(inside), 60)

    asyncio.run(main())


def test_the_file_is_shown_and_what_is_wrong_is_said_with_a_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        async with opened(tmp_path) as inside:
            await inside.sign_up("ann")

    asyncio.run(main())
    capsys.readouterr()
    assert plans("check", data=tmp_path) == 2
    assert "everything is free" in capsys.readouterr().err
    declare(tmp_path, TRIAL + PREMIUM)
    assert plans(data=tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [
        "trial  free  20 videos once",
        "premium  4.99 USD a month  any number of videos",
    ]
    assert plans("check", data=tmp_path) == 0
    capsys.readouterr()
    wrong = [
        (grants("give", "nobody", videos=1, data=tmp_path), "nobody has this name"),
        (grants("give", "ann", data=tmp_path), "a plan, or a number of videos"),
        (grants("give", "ann", plan="gold", data=tmp_path), "no plan `gold`"),
        (grants("end", "grt_x", data=tmp_path), "no grant, or more than one"),
        (payments("ann", "trial", reference="1", data=tmp_path), "no plan with a price"),
        (payments("ann", "premium", reference="", data=tmp_path), "has a reference"),
    ]
    lines = capsys.readouterr().err.splitlines()
    assert [ended for ended, _ in wrong] == [2] * len(wrong)
    errors = [line for line in lines if line.startswith("error: ")]
    assert all(sentence in line for line, (_, sentence) in zip(errors, wrong, strict=True))
    assert len([line for line in lines if line.startswith("hint: ")]) == len(wrong)
