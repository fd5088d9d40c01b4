"""Which rollouts are looked up in their source repository, and when again; against sources that answer from a table."""

from datetime import datetime, timedelta

from bot.collectors.carried import AGAIN, GIVE_UP, look_up_carried
from bot.domain.action import SaveDeployment
from bot.domain.carried import Carried
from bot.domain.errors import TransientError
from bot.domain.history import CommitRef
from bot.domain.image import Version
from bot.reporting.live import Records
from tests.support.builders import NOW, config, promotion

RULES = config(services={"payments": {"images": ["ghcr.io/acme/payments"], "source": "acme/payments"}})
KNOWN = Carried(commits=(CommitRef(sha="a", at=NOW),))


class Source:
    """Answers with what it was given; `down` cannot be reached."""

    def __init__(self, answer: Carried = KNOWN, *, down: bool = False) -> None:
        self.answer, self.down = answer, down
        self.asked: list[tuple[str, str, str]] = []

    def refresh(self, repository: str) -> None:
        if self.down:
            raise TransientError(f"{repository} cannot be reached")

    def carried(self, repository: str, service: str, image: str, old: Version, new: Version) -> Carried:
        self.asked.append((repository, str(old), str(new)))
        return self.answer


class Kept:
    def __init__(self, *rows: SaveDeployment) -> None:
        self.rows = rows
        self.saved: dict[str, tuple[Carried, datetime | None]] = {}

    def records(self, stage: str | None = None) -> Records:
        return Records(deployments=self.rows)

    def settled(self, *, now: datetime) -> frozenset[str]:
        return frozenset(name for name, (_, again) in self.saved.items() if again is None or again > now)

    def save_carried(self, deploy: str, carried: Carried, *, now: datetime, again_at: datetime | None) -> None:
        self.saved[deploy] = carried, again_at


def row(kind: str = "promotion", service: str = "payments", at: datetime = NOW) -> SaveDeployment:
    return SaveDeployment(promotion=promotion(id="p"), service=service, at=at, status="success", kind=kind, version="0=1.1.0")


def test_each_rollout_is_looked_up_once_between_the_versions_of_its_promotion() -> None:
    kept, source = Kept(row()), Source()
    (move,) = promotion().moves
    assert [look_up_carried(RULES, kept, source, lambda: NOW) for _ in range(2)] == [1, 0]
    assert source.asked == [("acme/payments", str(move.old), str(move.new))]
    assert kept.saved == {"p:payments:promotion:success": (KNOWN, None)}


def test_rollbacks_and_services_without_a_source_are_not_looked_up() -> None:
    source = Source()
    assert look_up_carried(RULES, Kept(row("rollback"), row(service="other")), source, lambda: NOW) == 0
    assert source.asked == []


def test_what_is_not_found_is_tried_again_for_a_week() -> None:
    missing = Carried(problem="no tag")
    young, old = Kept(row()), Kept(row(at=NOW - GIVE_UP))
    for kept in (young, old):
        look_up_carried(RULES, kept, Source(missing), lambda: NOW)
    assert young.saved == {"p:payments:promotion:success": (missing, NOW + AGAIN)}
    assert old.saved == {"p:payments:promotion:success": (missing, None)}
    assert look_up_carried(RULES, young, Source(), lambda: NOW + AGAIN + timedelta(seconds=1)) == 1


def test_a_repository_that_cannot_be_reached_is_tried_again_next_time() -> None:
    kept = Kept(row())
    assert look_up_carried(RULES, kept, Source(down=True), lambda: NOW) == 0
    assert look_up_carried(RULES, kept, Source(), lambda: NOW) == 1
