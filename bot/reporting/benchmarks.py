"""How a figure compares with the respondents of DORA's surveys.

2025: the share of respondents at this level or better. 2023: the tiers, with the gaps of the published bands filled (as DevLake does);
no other year has tiers that grow in one direction. The clusters describe a year, they are no targets.
"""

from dataclasses import dataclass

_HOUR, _DAY = 3_600, 86_400
_LEVELS_2025: dict[str, tuple[tuple[float, float], ...]] = {
    "lead_time_s": ((_HOUR, 9.4), (_DAY, 24.4), (7 * _DAY, 56.4), (30 * _DAY, 84.7), (182 * _DAY, 98.0)),
    "recovery_s": ((_HOUR, 21.3), (_DAY, 56.6), (7 * _DAY, 84.6), (30 * _DAY, 94.0), (182 * _DAY, 98.9)),
    "change_fail_rate": ((0.02, 8.5), (0.04, 16.7), (0.08, 36.2), (0.16, 62.2), (0.32, 81.6), (0.64, 94.1)),
    "rework_rate": ((0.02, 7.3), (0.04, 20.1), (0.08, 46.6), (0.16, 72.7), (0.32, 88.1), (0.64, 95.0)),
}
_RATES = frozenset(["change_fail_rate", "rework_rate"])
_TIERS_2023: dict[str, tuple[tuple[float, str], ...]] = {
    "lead_time_s": ((_DAY, "elite"), (7 * _DAY, "high"), (30 * _DAY, "medium")),
    "recovery_s": ((_HOUR, "elite"), (_DAY, "high"), (7 * _DAY, "medium")),
    "change_fail_rate": ((0.05, "elite"), (0.10, "high"), (0.15, "medium")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`top_pct`: share of the 2025 respondents at this level or better. `tier`: of 2023, None where that year had none."""

    top_pct: float
    tier: str | None

    @property
    def better_than_pct(self) -> float:
        """Share of the 2025 respondents below this level."""
        return round(100 - self.top_pct, 1)


def standing(metric: str, value: float) -> Standing:
    """Where a duration in seconds or a rate as a fraction stands. Upper edges belong to rates' bands, not to durations'."""
    return Standing(
        top_pct=next((share for edge, share in _LEVELS_2025[metric] if _inside(metric, value, edge)), 100.0),
        tier=next((tier for edge, tier in _TIERS_2023[metric] if _inside(metric, value, edge)), "low") if metric in _TIERS_2023 else None,
    )


def frequency_standing(deployments: int, days: int) -> Standing:
    """Where a deployment frequency stands: so many deployments in so many (more than 0) days."""
    levels = ((2 * days, 1, 16.2), (days, 1, 22.7), (days, 7, 44.6), (days, 30, 76.1), (days, 182, 96.4))
    top = next((share for needed, times, share in levels if deployments * times >= needed), 100.0)
    tiers = ((deployments > days, "elite"), (deployments * 7 >= days, "high"), (deployments * 30 >= days, "medium"))
    return Standing(top_pct=top, tier=next((tier for reached, tier in tiers if reached), "low"))


def _inside(metric: str, value: float, edge: float) -> bool:
    return value <= edge if metric in _RATES else value < edge
