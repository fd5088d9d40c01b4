"""With `follow: every`: the version that a stage takes next is the oldest that its upstream ran healthily and it has not had yet.

Decides from the stretches of health that were recorded of the upstream stages. What has been there too short for the stage's soak time,
broke, is banned or older than what stands here is passed over, as if it had never been. With `follow: newest` nothing comes from here.
"""

from collections.abc import Iterable, Mapping

from bot.config.schema import Config, Stage
from bot.domain.facts import Facts, Proven, ServiceView
from bot.domain.release import Release, compare_releases, same_release
from bot.planning.bans import banned
from bot.planning.offers import Offer


def earlier(config: Config, stage: Stage, facts: Facts, service: str, mine: Release, views: Mapping[str, ServiceView]) -> Offer | None:
    """The next version before the one that stands upstream now; None where none is left, or the stage follows the newest."""
    if stage.follow != "every":
        return None
    for name in views:
        for stretch in _after(proven(facts, name, service), mine):
            order = compare_releases(stretch.release, mine)
            old = order is not None and order < 0 and not stage.allow_downgrade
            if old or banned(config, facts, service, stretch.release) is not None:
                continue
            if stage.needs == "any" or all(_good(facts, other, service, stretch.release, view) for other, view in views.items()):
                return Offer(origin=name, release=stretch.release, since=stretch.since)
    return None


def proven(facts: Facts, stage: str, service: str) -> tuple[Proven, ...]:
    """The finished stretches of a service in an upstream stage, oldest first."""
    return facts.proven.get(stage, {}).get(service, ())


def stretch_of(facts: Facts, stage: str, service: str, release: Release) -> Proven | None:
    """The last stretch in which this release ran there; None where it never did, or that is not asked."""
    found = [stretch for stretch in proven(facts, stage, service) if same_release(stretch.release, release)]
    return found[-1] if found else None


def _after(stretches: Iterable[Proven], mine: Release) -> list[Proven]:
    """What came after the version that the stage has; where that was never seen upstream, only what is newer by order."""
    listed = list(stretches)
    last = max((place for place, stretch in enumerate(listed) if same_release(stretch.release, mine)), default=None)
    if last is not None:
        return listed[last + 1 :]
    return [stretch for stretch in listed if compare_releases(stretch.release, mine) == 1]


def _good(facts: Facts, stage: str, service: str, release: Release, view: ServiceView) -> bool:
    """Whether the release ran healthily in that upstream, or stands there now (then the gates ask how it is)."""
    stands = view.release is not None and same_release(view.release, release)
    return stands or stretch_of(facts, stage, service, release) is not None
