"""The few statistics that reports and gates share: percentiles and the bounds of a rate.

Pure arithmetic over numbers handed in; what is counted, and what follows from a bound, is decided by the callers.
"""

from collections.abc import Sequence
from math import sqrt

Z_ONE_SIDED_95 = 1.6448536269514722


def percentile(values: Sequence[float], fraction: float) -> float | None:
    """The value below which `fraction` of the values lie, interpolated linearly (type 7, PERCENTILE_CONT); None for no values."""
    if not values:
        return None
    ordered = sorted(values)
    position = fraction * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def median(values: Sequence[float]) -> float | None:
    """The interpolated median; None for no values."""
    return percentile(values, 0.5)


def ratio(part: float, whole: float) -> float | None:
    """`part / whole` rounded to six decimals; None where there is no whole, never 0."""
    return round(part / whole, 6) if whole else None


def wilson_bounds(failed: int, total: int, z: float = Z_ONE_SIDED_95) -> tuple[float, float] | None:
    """Lower and upper Wilson score bound of `failed / total`, within [0, 1], six decimals; None for an empty sample.

    With the default `z` each bound alone holds with 95 % confidence (one-sided).
    """
    if total <= 0:
        return None
    rate = failed / total
    centre = rate + z * z / (2 * total)
    spread = z * sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    lower, upper = (centre - spread) / scale, (centre + spread) / scale
    return round(min(max(lower, 0.0), 1.0), 6), round(min(max(upper, 0.0), 1.0), 6)
