"""When a picture is shown: at most 30 a second, at least one, on the source's own timing. Pure."""

from dataclasses import dataclass, field
from fractions import Fraction

MAX_RATE = 30
LONGEST_S = Fraction(1)
"""A picture held longer is sent again, so that each second has a key frame and a fragment of its own."""
_EARLY = Fraction(45, 100)


@dataclass(slots=True)
class Pace:
    """Chooses the frames to keep.

    Frames that jitter around the allowed rate all stay; a faster source is thinned evenly (50 a second become 25, not
    a limping 30).
    """

    rate: Fraction | None = None
    _due: Fraction | None = field(default=None, init=False)

    def keeps(self, time_s: Fraction) -> bool:
        """Tells whether to show the frame of this time; times that do not advance are refused by the caller."""
        interval = self.interval_s
        early = _EARLY * interval if self.rate is None or self.rate <= MAX_RATE + 1 else 1 / (2 * self.rate)
        if self._due is not None and time_s < self._due - early:
            return False
        due = time_s if self._due is None else max(self._due, time_s - interval)
        self._due = due + interval
        return True

    @property
    def interval_s(self) -> Fraction:
        """Seconds between two frames that are kept on average."""
        if self.rate is None or self.rate <= MAX_RATE + 1:
            return Fraction(1, MAX_RATE)
        return -(-self.rate // MAX_RATE) / self.rate


def holds(start_s: Fraction, end_s: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Splits the time that one picture is shown into (start, end) pieces of at most a second."""
    pieces = []
    while end_s - start_s > LONGEST_S:
        pieces.append((start_s, start_s + LONGEST_S))
        start_s += LONGEST_S
    return [*pieces, (start_s, end_s)]
