"""The report's charts as one PNG picture, for places that show no SVG, and the words for who does not see it.

Draws what `weekly` counted, with Pillow and the font that it carries (no system fonts, no browser). A gap is drawn as a gap. The font
knows Latin letters without accents only, so that other signs become question marks. Pillow is the extra `charts`: `can_draw` tells.
"""

import math
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING

from bot.reporting.formats._rows import title
from bot.reporting.page import Page
from bot.reporting.weekly import weekly

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

EXTRA = "charts"
SIZE = (1280, 940)
LEFT, RIGHT, PLOT = 110, 1240, 230
TOPS = (210, 630)
INK, FAINT, RULE, PAPER = "#1d2430", "#5b6675", "#d6dbe2", "#ffffff"
BARS = ("#2f6fbf", "#dda33a", "#7b5ea7", "#6b7684", "#b3261e")
LINES = ("#2f6fbf", "#b7791f")
SHARP = 2
"""Drawn so many times as large and made smaller, for smooth edges."""
LONGEST_ALT = 1_000


def can_draw() -> bool:
    """Is the drawing library installed?"""
    return find_spec("PIL") is not None


def alt_text(page: Page) -> str:
    """The charts in words, with their numbers."""
    found = weekly(page)
    counted = [f"{name} {', '.join(str(value) for value in values)}" for name, values in found.rollouts if any(values)]
    days = [
        f"{name} {', '.join('none' if value is None else f'{value:g}' for value in values)}"
        for name, values in found.lead_times
        if any(value is not None for value in values)
    ]
    weeks = f"{len(found.names)} weeks, first days {found.names[0]} to {found.names[-1]}"
    told = (
        f"Two charts. {title(page)}, {weeks}. Rollouts each week: {'; '.join(counted) or 'none'}. "
        f"Change lead time each week in days: {'; '.join(days) or 'none'}."
    )
    return told if len(told) <= LONGEST_ALT else told[: LONGEST_ALT - 1] + "…"


def picture(page: Page) -> bytes:
    """The PNG. `ImportError` where the drawing library is missing."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (SIZE[0] * SHARP, SIZE[1] * SHARP), PAPER)
    pen = _Pen(ImageDraw.Draw(image))
    report, found = page.report, weekly(page)
    pen.text(40, 34, title(page), size=34)
    last = report.days[-1] if report.days else report.window.first
    pen.text(40, 82, f"Report of {report.window.first} to {last} ({report.window.zone.key}), with the weeks before it", size=20, ink=FAINT)
    _bars(pen, found.names, found.rollouts, TOPS[0])
    _lines(pen, found.names, found.lead_times, TOPS[1])
    content = BytesIO()
    image.resize(SIZE, Image.Resampling.LANCZOS).save(content, "PNG", optimize=True)
    return content.getvalue()


class _Pen:
    """Draws in the picture's own units."""

    def __init__(self, draw: "ImageDraw") -> None:
        self._draw = draw

    def text(self, x: float, y: float, words: str, *, size: int, ink: str = INK, anchor: str = "la") -> float:
        """Writes, and says how wide it became."""
        from PIL import ImageFont

        plain = words.encode("ascii", "replace").decode()
        font = ImageFont.load_default(size * SHARP)
        self._draw.text((x * SHARP, y * SHARP), plain, fill=ink, font=font, anchor=anchor)
        return float(font.getlength(plain)) / SHARP

    def box(self, left: float, top: float, right: float, bottom: float, ink: str) -> None:
        self._draw.rectangle((left * SHARP, top * SHARP, right * SHARP - 1, bottom * SHARP - 1), fill=ink)

    def line(self, points: Sequence[tuple[float, float]], ink: str, *, width: int = 1) -> None:
        self._draw.line([(x * SHARP, y * SHARP) for x, y in points], fill=ink, width=width * SHARP, joint="curve")

    def mark(self, x: float, y: float, ink: str, *, square: bool) -> None:
        around = ((x - 5) * SHARP, (y - 5) * SHARP, (x + 5) * SHARP, (y + 5) * SHARP)
        (self._draw.rectangle if square else self._draw.ellipse)(around, fill=ink)


def _bars(pen: _Pen, names: Sequence[str], series: Sequence[tuple[str, Sequence[int]]], top: float) -> None:
    highest = max((sum(values[place] for _, values in series) for place in range(len(names))), default=0)
    _heading(pen, top, "Rollouts each week, by outcome", [(name, BARS[number], False) for number, (name, _) in enumerate(series)])
    rise, slot = _axes(pen, top, names, highest, "rollouts per week", whole=True)
    for place in range(len(names)):
        floor = 0
        x = LEFT + slot * place
        for number, (_, values) in enumerate(series):
            if values[place]:
                pen.box(x + slot * 0.18, rise(floor + values[place]), x + slot * 0.82, rise(floor), BARS[number])
                floor += values[place]
    if not highest:
        pen.text((LEFT + RIGHT) / 2, top + PLOT / 2, "no rollouts in these weeks", size=20, ink=FAINT, anchor="mm")


def _lines(pen: _Pen, names: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]], top: float) -> None:
    highest = max((value for _, values in series for value in values if value is not None), default=0.0)
    signs = [(name, LINES[number], number == 0) for number, (name, _) in enumerate(series)]
    _heading(pen, top, "Change lead time each week, from commit to rollout", signs)
    rise, slot = _axes(pen, top, names, highest, "days", whole=False)
    for number, (_, values) in enumerate(series):
        run: list[tuple[float, float]] = []
        for place, value in enumerate([*values, None]):
            if value is not None:
                run.append((LEFT + slot * (place + 0.5), rise(value)))
                pen.mark(*run[-1], LINES[number], square=number > 0)
                continue
            if len(run) > 1:
                pen.line(run, LINES[number], width=3)
            run = []
    if not any(value is not None for _, values in series for value in values):
        pen.text((LEFT + RIGHT) / 2, top + PLOT / 2, "no lead time is known in these weeks", size=20, ink=FAINT, anchor="mm")


def _heading(pen: _Pen, top: float, words: str, legend: Sequence[tuple[str, str, bool]]) -> None:
    """The chart's name, and its legend at the right: name, colour, and whether its sign is round."""
    pen.text(40, top - 72, words, size=24)
    widths = [pen.text(0, -100, name, size=18) + 44 for name, _, _ in legend]
    x = RIGHT - sum(widths)
    for (name, ink, round_sign), width in zip(legend, widths, strict=True):
        pen.mark(x + 8, top - 59, ink, square=not round_sign)
        pen.text(x + 22, top - 59, name, size=18, anchor="lm")
        x += width


def _axes(pen: _Pen, top: float, names: Sequence[str], highest: float, unit: str, *, whole: bool) -> tuple[Callable[[float], float], float]:
    """Scale, unit, grid and the weeks' names; answers where a value lies, and how wide a week is."""
    step = _step(highest, whole=whole)
    limit = step * max(math.ceil(highest / step), 1)

    def rise(value: float) -> float:
        return top + PLOT - PLOT * value / limit

    for place in range(round(limit / step) + 1):
        y = rise(step * place)
        pen.line([(LEFT, y), (RIGHT, y)], FAINT if place == 0 else RULE)
        pen.text(LEFT - 12, y, f"{step * place:g}", size=18, ink=FAINT, anchor="rm")
    pen.text(40, top - 34, unit, size=18, ink=FAINT)
    slot = (RIGHT - LEFT) / max(len(names), 1)
    for place, name in enumerate(names):
        pen.text(LEFT + slot * (place + 0.5), top + PLOT + 12, name, size=18, ink=FAINT, anchor="ma")
    pen.text((LEFT + RIGHT) / 2, top + PLOT + 42, "week that begins on", size=18, ink=FAINT, anchor="ma")
    return rise, slot


def _step(highest: float, *, whole: bool) -> float:
    """Between two lines of the grid: 1, 2 or 5 times a power of ten, so that there are at most five."""
    if highest <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(highest / 5))
    found = next(size * factor for factor in (1, 2, 5, 10) if size * factor * 5 >= highest)
    return max(found, 1.0) if whole else found
