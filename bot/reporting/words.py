"""How reports write numbers: spans, rates, counts, changes against the window before.

Decides the writing only; a number that is not known is written as such and never as 0.
"""

UNKNOWN = "no data"
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def span(seconds: float | None) -> str:
    """A span in its two largest units, rounded to the nearest of the smaller one: `2d 4h`, `45m`, `0s`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0:
        return "-" + span(-seconds)
    for place, (unit, size) in enumerate(_UNITS):
        smaller, step = _UNITS[min(place + 1, len(_UNITS) - 1)]
        rounded = round(seconds / step) * step
        if rounded >= size:
            whole, rest = divmod(rounded, size)
            return f"{whole}{unit}" + (f" {rest // step}{smaller}" if rest else "")
    return "0s"


def rate(fraction: float | None) -> str:
    """A fraction in per cent, one decimal where it has one."""
    return UNKNOWN if fraction is None else f"{round(fraction * 100, 1):g} %"


def number(value: float | None) -> str:
    """A number with at most two decimals."""
    return UNKNOWN if value is None else f"{round(value, 2):g}"


def relative(now: float | None, before: float | None) -> str:
    """How much a number grew or shrank against the one before: `+25 %`; empty where either is not known or the old one is 0."""
    if now is None or not before:
        return ""
    return f"{(now - before) / before * 100:+.0f} %".replace("-0 %", "±0 %").replace("+0 %", "±0 %")


def points(now: float | None, before: float | None) -> str:
    """The difference of two rates in percentage points: `-3.2 points`; empty where either is not known."""
    if now is None or before is None:
        return ""
    return f"{round((now - before) * 100, 1):+g} points"
