"""A promotion to try policies on: everyday, whole, and the same every time."""

from datetime import UTC, datetime, timedelta

from bot.domain.facts import Case, Health, Upstream
from bot.domain.image import Version
from bot.domain.people import Approval, Person
from bot.domain.promotion import Move, SlotEdit
from bot.domain.pull import Check, CheckState
from bot.domain.release import Release
from bot.domain.rollout import RolloutState

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
HEAD, BASE = "a" * 40, "b" * 40


def sample() -> Case:
    """payments 1.4.1 -> 1.4.2 into prod, healthy in uat for a day, approved once, its check green."""
    old, new = Version(tag="1.4.1"), Version(tag="1.4.2")
    path = SlotEdit(path="environments/prod/payments/app.yaml", address={}, artifact="ghcr.io/acme/payments", old=old, new=new)
    since = NOW - timedelta(days=1)
    return Case(
        now=NOW,
        stage="prod",
        name="payments",
        moves=(Move(service="payments", old=Release.single(old), new=Release.single(new), edits=(path,)),),
        upstreams=(Upstream(stage="uat", declares=True, state=RolloutState.HEALTHY, healthy_since=since, release=Release.single(new)),),
        head=HEAD,
        base=BASE,
        number=7,
        starter="promotion-bot[bot]",
        checks=(Check(name="build", state=CheckState.SUCCESS, commit=HEAD, required=True),),
        approvals=(Approval(person=Person(id=2, login="ana"), head=HEAD, at=NOW - timedelta(hours=1), source="review"),),
        target={"payments": Health(service="payments", state=RolloutState.HEALTHY, release=Release.single(old), since=since, taken=True)},
    )
