"""The rules of time: table of observations -> what became of the promotion."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.rollout import RolloutState, WorkloadRef, WorkloadState
from bot.workloads.describe import gone
from bot.workloads.watch import Limits, Outcome, Ruling, follow, judge

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
REF = WorkloadRef(kind="Deployment", namespace="shop", name="web", api_version="apps/v1")
LIMITS = Limits(timeout=timedelta(seconds=60), bake=timedelta(seconds=10), confirm=timedelta(seconds=15))
OLD, NEW, NEWER = (f"ghcr.io/acme/web:{version}" for version in ("1.4.2", "1.5.0", "1.6.0"))
P, H, D, S = RolloutState.PROGRESSING, RolloutState.HEALTHY, RolloutState.DEGRADED, RolloutState.SUSPENDED


def seen(t: float, state: RolloutState, image: str = NEW, **more: Any) -> WorkloadState:
    given = {"uid": "u1", "generation": 2, "reason": f"{state} at {t}"} | more
    return WorkloadState(ref=REF, images=(image,), state=state, observed_at=START + timedelta(seconds=t), **given)


def missing(t: float) -> WorkloadState:
    return gone(REF, at=START + timedelta(seconds=t), reason="not found")


def ruled(states: Sequence[WorkloadState], at: float, wanted: str | None = NEW) -> Ruling:
    return judge(follow(wanted, LIMITS, START, states), START + timedelta(seconds=at))


LATE_CRASHES = [
    seen(0, H),
    seen(14, P, restarts=3),
    seen(24, H, restarts=3),
    seen(36, P, restarts=6),
    seen(46, H, restarts=6),
]


@pytest.mark.parametrize(
    ("states", "at", "outcome", "settled"),
    [
        pytest.param([], 5, Outcome.UNKNOWN, False, id="nothing seen"),
        pytest.param([missing(0)], 5, Outcome.UNKNOWN, False, id="not there yet"),
        pytest.param([missing(0)], 61, Outcome.UNKNOWN, True, id="never there: still unknown, but waiting is over"),
        pytest.param([seen(0, H, OLD)], 5, Outcome.PROGRESSING, False, id="not taken yet"),
        pytest.param([seen(0, H, OLD)], 60, Outcome.TIMED_OUT, True, id="never taken"),
        pytest.param([seen(0, H, NEWER)], 5, Outcome.SUPERSEDED, True, id="newer from the start"),
        pytest.param([seen(0, H, OLD), seen(5, P)], 10, Outcome.PROGRESSING, False, id="rolling"),
        pytest.param([seen(0, H, OLD), seen(5, P)], 64, Outcome.PROGRESSING, False, id="the limit counts from the taking"),
        pytest.param([seen(0, H, OLD), seen(5, P)], 65, Outcome.TIMED_OUT, True, id="hangs for ever"),
        pytest.param([seen(0, P), seen(20, H)], 29.9, Outcome.PROGRESSING, False, id="baking"),
        pytest.param([seen(0, P), seen(20, H)], 30, Outcome.HEALTHY, True, id="baked"),
        pytest.param([seen(0, P), seen(20, H, rolled_out=False)], 40, Outcome.PROGRESSING, False, id="OnDelete: no pod is new"),
        pytest.param([seen(0, P), seen(20, H, rolled_out=False)], 60, Outcome.TIMED_OUT, True, id="OnDelete and nobody deletes"),
        pytest.param([seen(0, P), seen(10, D)], 24, Outcome.DEGRADED, False, id="an exceeded deadline may pass"),
        pytest.param([seen(0, P), seen(10, D)], 25, Outcome.DEGRADED, True, id="it stood"),
        pytest.param([seen(0, P), seen(10, D), seen(14, P), seen(30, H)], 40, Outcome.HEALTHY, True, id="it passed"),
        pytest.param([seen(0, P), seen(10, D), seen(14, H, OLD)], 15, Outcome.DEGRADED, True, id="taken back after failing"),
        pytest.param([seen(0, P), seen(14, P, OLD)], 15, Outcome.DEGRADED, True, id="taken back before it was complete"),
        pytest.param([seen(0, P), seen(14, P, NEWER)], 15, Outcome.SUPERSEDED, True, id="overtaken"),
        pytest.param([seen(0, P), seen(9, D), seen(14, H, NEWER)], 15, Outcome.SUPERSEDED, True, id="overtaken after failing"),
        pytest.param([seen(0, P), seen(14, P, OLD), seen(16, P), seen(20, H)], 30, Outcome.HEALTHY, True, id="came back"),
        pytest.param([seen(0, S)], 900, Outcome.SUSPENDED, False, id="a pause has no limit"),
        pytest.param([seen(0, S), seen(300, P, generation=3)], 350, Outcome.PROGRESSING, False, id="the limit counts from the resume"),
        pytest.param([seen(0, S), seen(300, P, generation=3)], 360, Outcome.TIMED_OUT, True, id="resumed and hangs"),
        pytest.param([seen(0, P), seen(5, H), missing(8)], 30, Outcome.UNKNOWN, False, id="deleted while baking"),
        pytest.param(
            [seen(0, P), seen(5, H), missing(8), seen(12, P, uid="u2", generation=1), seen(20, H, uid="u2", generation=1)],
            29,
            Outcome.PROGRESSING,
            False,
            id="re-created: it bakes anew",
        ),
        pytest.param([seen(0, H), seen(20, P, generation=3)], 79, Outcome.PROGRESSING, False, id="scaled up: a new clock"),
        pytest.param([seen(0, H), seen(20, P, generation=3)], 80, Outcome.TIMED_OUT, True, id="scaled up and hangs"),
        pytest.param([seen(0, H), seen(5, P)], 64, Outcome.PROGRESSING, False, id="one break by itself"),
        pytest.param([seen(0, H), seen(5, P)], 65, Outcome.TIMED_OUT, True, id="broke and did not recover"),
        pytest.param([seen(0, H), seen(5, P, restarts=1)], 6, Outcome.DEGRADED, False, id="late crash"),
        pytest.param([seen(0, H), seen(5, P, restarts=1)], 20, Outcome.DEGRADED, True, id="late crash that stands"),
        pytest.param([seen(0, H), seen(3, P), seen(6, H), seen(9, P), seen(11, H)], 12, Outcome.DEGRADED, True, id="flaps"),
        pytest.param([seen(0, H), seen(3, P), seen(6, H), seen(9, P), seen(11, H)], 21, Outcome.HEALTHY, True, id="flapped, then stood"),
        pytest.param([seen(0, H), seen(30, P), seen(31, H), seen(90, P), seen(91, H)], 92, Outcome.PROGRESSING, False, id="drained nodes"),
        pytest.param(LATE_CRASHES, 57, Outcome.DEGRADED, False, id="crashes late again and again, and looks healthy in between"),
        pytest.param(LATE_CRASHES, 130, Outcome.HEALTHY, True, id="crashed late, and then no more"),
        pytest.param(LATE_CRASHES[:3], 37, Outcome.HEALTHY, True, id="crashed late once"),
        pytest.param([seen(0, RolloutState.UNKNOWN, reason="git is away")], 900, Outcome.UNKNOWN, False, id="the agent knows nothing"),
    ],
)
def test_what_became_of_the_promotion(states: list[WorkloadState], at: float, outcome: Outcome, settled: bool) -> None:
    ruling = ruled(states, at)
    assert (ruling.outcome, ruling.settled) == (outcome, settled), ruling
    assert ruling.reason


def test_a_late_success_is_told_as_late() -> None:
    ruling = ruled([seen(0, P), seen(75, H)], 90)
    assert ruling.outcome is Outcome.HEALTHY
    assert "15s after the time limit" in ruling.reason


def test_an_older_image_of_no_order_is_known_by_having_stood_there() -> None:
    digests = [f"ghcr.io/acme/web@sha256:{letter * 64}" for letter in "abc"]
    states = [seen(0, H, digests[0]), seen(1, P, digests[1])]
    assert ruled([*states, seen(2, P, digests[0])], 3, wanted=digests[1]).outcome is Outcome.DEGRADED
    assert ruled([*states, seen(2, P, digests[2])], 3, wanted=digests[1]).outcome is Outcome.SUPERSEDED


def test_the_same_image_written_otherwise_is_the_same() -> None:
    with_digest = f"{NEW}@sha256:{'a' * 64}"
    assert ruled([seen(0, H, with_digest)], 20).outcome is Outcome.HEALTHY
    assert ruled([seen(0, H, "docker.io/library/nginx:1")], 20, wanted="nginx:1").outcome is Outcome.HEALTHY
    assert ruled([seen(0, H, "ghcr.io/acme/other:1.5.0")], 20).outcome is Outcome.PROGRESSING


def test_a_waiting_promotion_says_when_to_look_again() -> None:
    assert ruled([seen(0, P)], 10).look_again == START + timedelta(seconds=60)
    assert ruled([seen(0, P), seen(20, H)], 25).look_again == START + timedelta(seconds=30)
