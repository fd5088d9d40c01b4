"""Charts of time as inline SVG: a heat map of weekdays and hours, and spans on a line of days. Drawn as `charts` draws."""

from collections.abc import Sequence
from html import escape

from bot.reporting.charts import WIDTH

_LEFT, _CELL, _ROW = 44, 24, 18
_SPANS = 196


def heat_map(rows: Sequence[tuple[str, Sequence[int]]], heads: Sequence[str], label: str) -> str:
    """One row for each name with a cell for each head; the fuller the cell the larger the number, which is written in it."""
    top = max((value for _, values in rows for value in values), default=0) or 1
    parts = [f'<text class="tick" x="{_LEFT + _CELL * (place + 0.5):.1f}" y="12">{escape(head)}</text>' for place, head in enumerate(heads)]
    for line, (name, values) in enumerate(rows):
        y = 18 + line * _CELL
        parts.append(f'<text x="0" y="{y + 16}">{escape(name)}</text>')
        for place, value in enumerate(values):
            if not value:
                continue
            x = _LEFT + _CELL * place
            strength = 0.25 + 0.75 * value / top
            parts.append(
                f'<rect class="s0" fill-opacity="{strength:.2f}" x="{x}" y="{y}" width="{_CELL - 2}" height="{_CELL - 2}">'
                f"<title>{escape(name)} {escape(heads[place])}: {value}</title></rect>"
                f'<text class="tick" x="{x + _CELL / 2 - 1:.1f}" y="{y + 15}">{value}</text>'
            )
    return _svg("".join(parts), label, 24 + _CELL * len(rows))


def spans(rows: Sequence[tuple[str, float, float | None, str]], label: str) -> str:
    """One line for each row: name, begin and end as fractions of the width (None: open, drawn to the edge), and what is told of it."""
    parts = []
    for line, (name, begin, end, told) in enumerate(rows):
        y = 4 + line * _ROW
        room = WIDTH - _SPANS
        x, until = _SPANS + room * max(begin, 0.0), _SPANS + room * min(1.0 if end is None else end, 1.0)
        css = "s4" if end is None else "s3"
        parts.append(f'<text x="0" y="{y + 12}">{escape(name)}</text>')
        size = f'width="{max(until - x, 3.0):.1f}" height="{_ROW - 5}"'
        parts.append(f'<rect class="{css}" x="{x:.1f}" y="{y}" {size}><title>{escape(told)}</title></rect>')
    return _svg("".join(parts), label, 8 + _ROW * len(rows))


def _svg(inner: str, label: str, height: int) -> str:
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">{inner}</svg>'
