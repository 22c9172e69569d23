"""Plots as plain SVG: logarithmic axes, a line for each series, names at the lines' ends."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 74, 168, 44, 56
COLOURS = ("#1f5fa8", "#b4480f", "#2e7d4f", "#7a3f98", "#8a6d00", "#a02c4c", "#4a5560")


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    points: Sequence[tuple[float, float]]
    """x and y, both above nothing."""


def plot(
    title: str,
    across: str,
    up: str,
    series: Sequence[Series],
    *,
    marks: Sequence[tuple[float, str]] = (),
    floor: float = 1e-9,
) -> str:
    """Draws them; ``marks`` are upright lines with a word each, what lies below ``floor`` is left out."""
    points = [point for one in series for point in one.points if point[1] >= floor]
    x_low, x_high = _decades([x for x, _ in points])
    y_low, y_high = _decades([y for _, y in points])

    def x_of(value: float) -> float:
        return LEFT + (math.log10(value) - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def y_of(value: float) -> float:
        return HEIGHT - BOTTOM - (math.log10(value) - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" fill="#222222">{escape(title)}</text>',
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, across, anchor="middle"),
        f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)" text-anchor="middle" fill="#222222">{escape(up)}</text>',
    ]
    for power in range(x_low, x_high + 1):
        x = x_of(10.0**power)
        parts += [
            _line(x, TOP, x, HEIGHT - BOTTOM, "#e4e4e4"),
            _text(x, HEIGHT - BOTTOM + 18, _power(power), anchor="middle"),
        ]
    for power in range(y_low, y_high + 1):
        y = y_of(10.0**power)
        parts += [
            _line(LEFT, y, WIDTH - RIGHT, y, "#e4e4e4"),
            _text(LEFT - 8, y + 4, _power(power), anchor="end"),
        ]
    for number, (value, word) in enumerate(marks):
        x = x_of(value)
        parts += [
            _line(x, TOP, x, HEIGHT - BOTTOM, "#b0b0b0", dashed=True),
            _text(x + 4, TOP + 12 + 14 * (number % 3), word),
        ]
    ends: list[float] = []
    for number, one in enumerate(series):
        kept = [(x_of(x), y_of(y)) for x, y in one.points if y >= floor]
        if not kept:
            continue
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in kept)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in kept]
        end = kept[-1][1] + 4
        while any(abs(end - other) < 14 for other in ends):
            end += 3
        ends.append(end)
        parts.append(_text(kept[-1][0] + 10, end, one.name, colour=colour))
    return "\n".join([*parts, "</svg>", ""])


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _power(power: int) -> str:
    if -3 <= power <= 3:
        return f"{10.0**power:g}"
    return f"10{''.join('⁰¹²³⁴⁵⁶⁷⁸⁹'[int(digit)] if digit.isdigit() else '⁻' for digit in str(power))}"


def _line(x: float, y: float, to_x: float, to_y: float, colour: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"{dash}/>'


def _text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = "#222222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
