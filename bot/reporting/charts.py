"""Charts as inline SVG without scripts or outside files: sparkline, stacked bars, lines with gaps, horizontal bars.

Draws numbers that others counted. A gap is drawn as a gap, never as zero; every chart carries its numbers as text for readers without eyes.
"""

from collections.abc import Callable, Iterator, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 200, 44, 24
Values = Sequence[float | None]


def sparkline(values: Values, label: str) -> str:
    """A small line, oldest value first; a single value is a dot."""
    top = max((value for value in values if value is not None), default=0) or 1
    step = 110 / max(len(values) - 1, 1)
    points = [None if value is None else (5 + step * place, 25 - 20 * value / top) for place, value in enumerate(values)]
    return f'<svg class="spark" viewBox="0 0 120 30" role="img" aria-label="{escape(label)}">{"".join(_lines(points, "line"))}</svg>'


def stacked_bars(labels: Sequence[str], series: Sequence[tuple[str, Sequence[int]]], label: str) -> str:
    """One bar for each label, stacked in the order of `series` (name, one value for each label)."""
    top = max((sum(values[place] for _, values in series) for place in range(len(labels))), default=0) or 1
    slot = (WIDTH - LEFT) / max(len(labels), 1)
    parts = [*_axis(top, lambda value: f"{value:g}")]
    for place, name in enumerate(labels):
        floor = 0
        x = LEFT + slot * place
        for number, (kind, values) in enumerate(series):
            value = values[place]
            if value:
                size, base = _rise(value, top), _rise(floor, top)
                parts.append(
                    f'<rect class="s{number}" x="{x + slot * 0.15:.1f}" y="{HEIGHT - BOTTOM - base - size:.1f}" width="{slot * 0.7:.1f}" '
                    f'height="{size:.1f}"><title>{escape(name)}: {value} {escape(kind)}</title></rect>'
                )
                floor += value
        parts.append(_label(x + slot / 2, name))
    return _svg("".join(parts), label) + _legend([name for name, _ in series])


def lines(labels: Sequence[str], series: Sequence[tuple[str, Values]], label: str, write: str = "days") -> str:
    """One line for each of `series`; where a value is missing the line is broken. `write` names the values' unit."""
    top = max((value for _, values in series for value in values if value is not None), default=0) or 1
    slot = (WIDTH - LEFT) / max(len(labels), 1)
    parts = [*_axis(top, lambda value: f"{value:g} {write}")]
    for number, (_, values) in enumerate(series):
        points: list[tuple[float, float] | None] = []
        for place, value in enumerate(values):
            points.append(None if value is None else (LEFT + slot * (place + 0.5), HEIGHT - BOTTOM - _rise(value, top)))
        parts += _lines(points, f"l{number}")
    parts += [_label(LEFT + slot * (place + 0.5), name) for place, name in enumerate(labels)]
    return _svg("".join(parts), label) + _legend([name for name, _ in series])


def bars(rows: Sequence[tuple[str, float | None, str]], label: str) -> str:
    """Horizontal bars: name, value (None: no data), and what is written beside it."""
    top = max((value for _, value, _ in rows if value is not None), default=0) or 1
    parts = []
    for place, (name, value, told) in enumerate(rows):
        y = 8 + place * 26
        parts.append(f'<text x="0" y="{y + 14}">{escape(name)}</text>')
        size = 0 if value is None else 300 * value / top
        parts.append(f'<rect class="s0" x="200" y="{y}" width="{size:.1f}" height="18"/>')
        parts.append(f'<text x="{206 + size:.1f}" y="{y + 14}">{escape(told)}</text>')
    height = 12 + 26 * len(rows)
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def _svg(inner: str, label: str) -> str:
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">{inner}</svg>'


def _legend(names: Sequence[str]) -> str:
    return '<p class="legend">' + " ".join(f'<span class="k{place}">■</span> {escape(name)}' for place, name in enumerate(names)) + "</p>"


def _axis(top: float, write: Callable[[float], str]) -> Iterator[str]:
    yield f'<line class="axis" x1="{LEFT}" y1="{HEIGHT - BOTTOM}" x2="{WIDTH}" y2="{HEIGHT - BOTTOM}"/>'
    yield f'<text x="0" y="14">{escape(write(top))}</text><text x="0" y="{HEIGHT - BOTTOM}">0</text>'


def _label(x: float, name: str) -> str:
    return f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 6}">{escape(name)}</text>'


def _rise(value: float, top: float) -> float:
    return (HEIGHT - BOTTOM - 16) * value / top


def _lines(points: Sequence[tuple[float, float] | None], css: str) -> Iterator[str]:
    """The runs of points without a gap, as polylines; a lonely point as a dot."""
    run: list[tuple[float, float]] = []
    for point in [*points, None]:
        if point is not None:
            run.append(point)
            continue
        if len(run) == 1:
            yield f'<circle class="{css}" cx="{run[0][0]:.1f}" cy="{run[0][1]:.1f}" r="2"/>'
        elif run:
            yield f'<polyline class="{css}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in run)}"/>'
        run = []
