"""The few statistics that reports and gates share: percentiles and the bounds of a rate.

Pure arithmetic over numbers handed in; what is counted, and what follows from a bound, is decided by the callers.
"""

from collections import Counter
from collections.abc import Sequence
from math import sqrt

Z_ONE_SIDED_95 = 1.6448536269514722
Z_TWO_SIDED_95 = 1.959963984540054
_FEW = 5


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


def counts_differ(one: int, other: int) -> bool:
    """Whether two counts over equal spans differ by more than chance (95 %, two-sided); few events never do."""
    total = one + other
    return total >= 2 * _FEW and abs(one - other) > Z_TWO_SIDED_95 * sqrt(total)


def rates_differ(part: int, whole: int, other_part: int, other_whole: int) -> bool:
    """Whether two rates differ by more than chance (95 %, two-sided): their Newcombe interval leaves out 0. Small samples rarely do."""
    one = wilson_bounds(part, whole, Z_TWO_SIDED_95)
    other = wilson_bounds(other_part, other_whole, Z_TWO_SIDED_95)
    if one is None or other is None:
        return False
    rate, other_rate = part / whole, other_part / other_whole
    difference = rate - other_rate
    lower = difference - sqrt((rate - one[0]) ** 2 + (other[1] - other_rate) ** 2)
    upper = difference + sqrt((one[1] - rate) ** 2 + (other_rate - other[0]) ** 2)
    return lower > 0 or upper < 0


def samples_differ(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether one sample tends to larger values by more than chance (Mann-Whitney, 95 %, two-sided, ties corrected).

    Samples of fewer than five values never do.
    """
    n, m = len(one), len(other)
    if min(n, m) < _FEW:
        return False
    sizes = Counter([*one, *other])
    ranks: dict[float, float] = {}
    before = 0
    for value in sorted(sizes):
        ranks[value] = before + (sizes[value] + 1) / 2
        before += sizes[value]
    ties = sum(size**3 - size for size in sizes.values()) / ((n + m) * (n + m - 1))
    variance = n * m / 12 * (n + m + 1 - ties)
    surplus = sum(ranks[value] for value in one) - n * (n + 1) / 2 - n * m / 2
    return variance > 0 and abs(surplus) > Z_TWO_SIDED_95 * sqrt(variance)
