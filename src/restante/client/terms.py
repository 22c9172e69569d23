"""How long a message lasts and what its recipients may do with it, as its sender chooses.

>>> Terms.parse("7d").expires_ms(1_000)
604801000
>>> Terms.parse("played").until_played
True
"""

from typing import Final, Literal

import msgspec

from restante.client.errors import ForwardOnce

Lasting = Literal["never", "played", "1d", "7d", "30d", "90d"]
DAY_MS: Final = 86_400_000


class Terms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``days`` until it ends, counted from when it is made; ``once`` asks the recipient's program to show it once."""

    days: int | None = None
    until_played: bool = False
    once: bool = False
    may_forward: bool = False

    @classmethod
    def parse(cls, lasting: Lasting, *, once: bool = False, may_forward: bool = False) -> "Terms":
        """Reads a choice of the command line. Raises ForwardOnce."""
        if once and may_forward:
            raise ForwardOnce
        days = int(lasting.removesuffix("d")) if lasting.endswith("d") and lasting[0].isdigit() else None
        return cls(days=days, until_played=lasting == "played", once=once, may_forward=may_forward)

    def expires_ms(self, created_ms: int) -> int | None:
        """The instant at which it ends, if it is a fixed one."""
        return None if self.days is None else created_ms + self.days * DAY_MS


USUAL: Final = Terms()
"""Kept until somebody deletes it, watched as often as one likes, not passed on."""
