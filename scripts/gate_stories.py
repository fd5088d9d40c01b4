"""Situations for each gate, told by the gates themselves: the tables of docs/gates.md.

Each story is a case; what the gate says to it is computed, so that the page cannot say anything else than the bot.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.directive import Order
from bot.domain.dora_rule import DeliveryStats, OpenFailure
from bot.domain.facts import Case, StageHold
from bot.domain.pull import CheckState
from bot.domain.rollout import RolloutState
from bot.domain.verdict import Verdict
from bot.gates import Gate
from tests.support.builders import ANA, NOW, health, release
from tests.support.cases import answered, approval, case, check, gate, judge, move, order, upstream

Story = tuple[str, Gate, Case]
DIGEST, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def told(kind: str) -> list[tuple[str, Verdict]]:
    """Each situation of this gate, and the gate's verdict."""
    return [(situation, judge(made, about)) for situation, made, about in STORIES[kind]()]


def _with(made: Gate, *pairs: tuple[str, object], about: Case | None = None) -> Iterator[Story]:
    for situation, value in pairs:
        about_now = about or case()
        if isinstance(value, str):
            yield situation, made, answered(made, about_now, problem=value)
        else:
            yield situation, made, answered(made, about_now, value)


def _upstream() -> Iterator[Story]:
    made = gate("upstream").placed(after=("uat",))
    yield "it runs healthily", made, case()
    yield "another version stands upstream", made, case(upstreams=(upstream(declares=False, release=release("1.0.9")),))
    bad = upstream(state=RolloutState.DEGRADED, reason="Deployment shop/payments: CrashLoopBackOff")
    yield "it is degraded there", made, case(upstreams=(bad,))
    yield "it still rolls out", made, case(upstreams=(upstream(state=RolloutState.PROGRESSING),))
    yield "the cluster cannot be asked", made, case(upstreams=(upstream(state=RolloutState.UNKNOWN, reason="connection refused"),))
    yield "the stage was not observed at all", made, case(upstreams=())


def _soak() -> Iterator[Story]:
    made = gate("soak", **{"for": "2h"})
    yield "long enough", made, case()
    yield "not long enough", made, case(upstreams=(upstream(since=NOW - timedelta(minutes=70)),))
    yield "it degraded in between", made, case(upstreams=(upstream(since=None, state=RolloutState.DEGRADED),))
    yield "nobody can say how it is", made, case(upstreams=(upstream(since=None, state=RolloutState.UNKNOWN),))


def _health() -> Iterator[Story]:
    made = gate("health")
    yield "healthy, as git declares", made, case()
    yield "degraded before the change", made, case(target={"payments": health(state=RolloutState.DEGRADED, reason="OOMKilled")})
    scaled = health(drift="Deployment shop/payments wants 5 replicas, git declares 3 (payments.yaml:6)")
    yield "it wants other replicas, and no autoscaler owns them", made, case(target={"payments": scaled})
    yield "the cluster runs something else", made, case(target={"payments": health(taken=False, running=("ghcr.io/acme/payments:0.9",))})
    yield "it still rolls out", made, case(target={"payments": health(state=RolloutState.PROGRESSING)})
    yield "the cluster cannot be asked", made, case(target_problem="connection refused")
    yield "nothing is known of the service", made, case(target={})


def _checks() -> Iterator[Story]:
    made = gate("checks", required=["smoke-tests"])
    yield "green", made, case(checks=(check("smoke-tests"),))
    yield "red", made, case(checks=(check("smoke-tests", CheckState.FAILURE, url="https://ci.example/7"),))
    yield "running", made, case(checks=(check("smoke-tests", CheckState.PENDING),))
    yield "only an older commit has it", made, case(checks=(check("smoke-tests", commit="c" * 40),))
    two = (check("smoke-tests", source="jenkins"), check("smoke-tests", CheckState.FAILURE, source="actions"))
    yield "two sources contradict each other", made, case(checks=two)
    yield "only the bot's own check has reported", made, case(checks=(check("promotion/prod"),))
    yield "the forge cannot be asked", made, case(checks=None)


def _approval() -> Iterator[Story]:
    made = gate("approval", teams=["acme/leads"])
    lead = frozenset({"acme/leads"})
    yield "a lead approved", made, case(approvals=(approval(teams=lead),))
    yield "nobody has", made, case()
    yield "for an older head", made, case(approvals=(approval(teams=lead, head="c" * 40),))
    yield "by the one who started it", made, case(approvals=(approval(teams=lead),), starter="ana")
    yield "by somebody who left the team", made, case(approvals=(approval(may=False, why_not="they are not in acme/leads any more"),))
    yield "by somebody who pushed to the branch", made, case(approvals=(approval(teams=lead),), pushers=(ANA,))
    yield "by a stranger", made, case(approvals=(approval(may=False),))
    owners = gate("approval", codeowners=True)
    yield "the owners cannot be read", owners, answered(owners, case(approvals=(approval(),)), problem="GitHub answered 502")


def _hold() -> Iterator[Story]:
    made = gate("hold")
    yield "nobody holds it", made, case()
    yield "somebody does", made, case(directives=(order(Order.HOLD, service="payments", reason="load test"),))
    stop = StageHold(stage="prod", at=NOW - timedelta(hours=1), reason="two reverts in a row")
    yield "the bot stopped the stage", made, case(stage_holds=(stop,))
    skip = order(Order.OVERRIDE, gate="hold", head=case().head, base=case().base)
    yield "somebody tries to override it", made, case(directives=(order(Order.HOLD), skip))


def _window() -> Iterator[Story]:
    made = gate("window", zone="Europe/Berlin", open=[{"cron": "0 9 * * mon-fri", "for": "8h"}])
    yield "inside", made, case()
    yield "outside", made, case(now=datetime(2026, 11, 21, 12, tzinfo=UTC))
    published = gate("window", open=[{"cron": "0 0 * * *", "for": "1d"}], holidays={"url": "https://cal.example/h.ics"})
    yield from _with(published, ("the holidays cannot be read", "GET answered 404"), ("the holidays are no calendar", [1]))


def _freeze() -> Iterator[Story]:
    made = gate("freeze", zone="Europe/Berlin", during=[{"from": "2026-12-18T18:00", "until": "2027-01-04T08:00", "reason": "year end"}])
    yield "before it", made, case()
    yield "during it", made, case(now=datetime(2026, 12, 20, 12, tzinfo=UTC))
    yield "somebody froze everything", made, case(directives=(order(Order.FREEZE, reason="outage", until=NOW + timedelta(hours=2)),))
    published = gate("freeze", calendar={"url": "https://cal.example/f.ics"})
    yield from _with(published, ("the calendar cannot be read", "timed out after 5s"))


def _http() -> Iterator[Story]:
    made = gate("http", url="https://status.example/api", times=3, body="^ok")
    good = [{"at": NOW - timedelta(seconds=30 * index), "status": 200, "body": "ok"} for index in (2, 1, 0)]
    pairs: list[tuple[str, object]] = [
        ("three good answers", good),
        ("one so far", good[-1:]),
        ("a wrong status", [*good, {"at": NOW, "status": 503, "body": ""}]),
        ("slow", [*good, {"at": NOW, "error": "no answer within 5s"}]),
        ("a body that is not the expected one", [{"at": NOW, "status": 200, "body": "<html>Sign in</html>"}]),
        ("it answers without end", [*good, {"at": NOW, "error": "the answer is larger than 1048576 bytes"}]),
        ("the last answer is old", [{**one, "at": NOW - timedelta(hours=1)} for one in good]),
        ("absent", "connection refused"),
        ("its address is forbidden", "169.254.169.254 is a link-local address, which is never dialled"),
    ]
    yield from _with(made, *pairs)


def _metric() -> Iterator[Story]:
    made = gate("metric", name="errors", query="errors", max=0.01, **{"for": "5m"})

    def samples(*values: float) -> list[Any]:
        return [{"labels": {}, "samples": [[NOW.timestamp() - 30 * (len(values) - 1 - at), value] for at, value in enumerate(values)]}]

    pairs: list[tuple[str, object]] = [
        ("within the limit", samples(*[0.001] * 11)),
        ("above it now", samples(*[0.001] * 10, 0.2)),
        ("above it lately", samples(*[0.001] * 8, 0.2, 0.001, 0.001)),
        ("measured too shortly", samples(0.001, 0.001)),
        ("no data", []),
        ("not a number", samples(*[0.001] * 10, float("nan"))),
        ("two series, one of them above", [*samples(*[0.001] * 11), *samples(*[0.3] * 11)]),
        ("a hole in the samples", [{"labels": {}, "samples": [[NOW.timestamp() - 300, 0.001], [NOW.timestamp(), 0.001]]}]),
        ("infinite", samples(*[0.001] * 10, float("inf"))),
        ("it answers nonsense", {"labels": 7}),
        ("absent", "connection refused"),
        ("slow", "no answer within 10s"),
    ]
    yield from _with(made, *pairs)


def _image() -> Iterator[Story]:
    about = case(moves=(move(f"1.1.0@{DIGEST}"),))
    pairs: list[tuple[str, object]] = [
        ("it is there, as tested", {"exists": True, "digest": DIGEST}),
        ("it is not there", {"exists": False}),
        ("the tag was pushed again", {"exists": True, "digest": OTHER}),
        ("the registry cannot be asked", "the registry answered 429; it asks to wait 60s"),
        ("the registry's digest is not that of the bytes", "the manifest's bytes are not what Docker-Content-Digest says"),
        ("the registry names no content", {"exists": True}),
        ("the answer is not understood", {"exists": "yes"}),
    ]
    yield from _with(gate("image"), *pairs, about=about)
    young = gate("image", max_age="30d")
    future = {"exists": True, "digest": DIGEST, "created": NOW + timedelta(days=1)}
    yield from _with(young, ("it was built in the future", future), about=about)
    signed = gate("image", signature={"key": "cosign.pub"})
    yield from _with(signed, ("nobody can check signatures", {"exists": True, "digest": DIGEST}), about=about)


def _dora() -> Iterator[Story]:
    made = gate("dora", change_fail_rate="block")
    good = DeliveryStats(failed=1, changes=20, days=28, as_of=NOW)
    failure = OpenFailure(deploy="d41", service="orders", version="2.0.0", since=NOW - timedelta(hours=1))
    pairs: list[tuple[str, object]] = [
        ("within the limits", good),
        ("a failure is open", replace(good, open_failures=(failure,))),
        ("too many failed", replace(good, failed=9)),
        ("too few changes to judge", replace(good, failed=2, changes=3)),
        ("the history cannot be read", "the database is locked"),
    ]
    yield from _with(made, *pairs)


def _policy() -> Iterator[Story]:
    yield "true", gate("policy", expression="size(promotion.moves) <= 5"), case()
    yield "false", gate("policy", expression="size(promotion.moves) > 5", message="More than five services"), case()
    yield "it breaks", gate("policy", expression="promotion.moves[7].to == 'x'"), case()
    yield "it is no yes or no", gate("policy", expression="promotion.name"), case()
    endless = "[0,1,2,3,4,5,6,7,8,9]"
    nested = "true"
    for name in "abcdef":
        nested = f"{endless}.all({name}, {nested})"
    yield "it would run for ever", gate("policy", name="endless", expression=nested), case()
    made = gate("policy", rule="promotion/allow")
    pairs: list[tuple[str, object]] = [
        ("OPA denies", {"deny": ["no ticket"]}),
        ("OPA allows and denies", {"allow": True, "deny": ["no ticket"]}),
        ("OPA is absent", "connection refused"),
        ("OPA is slow", "no answer within 2s"),
        ("OPA has no such rule", {}),
    ]
    yield from _with(made, *pairs)


def _webhook() -> Iterator[Story]:
    made = gate("webhook", url="https://change.example/hook")
    pairs: list[tuple[str, object]] = [
        ("yes", {"state": "passed"}),
        ("no", {"state": "failed", "reason": "ticket CHG-7 is closed"}),
        ("not yet", {"state": "pending", "reason": "waiting for the board"}),
        ("both at once", {"state": "passed", "allow": False}),
        ("something else", {"ok": 1}),
        ("slow", "no answer within 5s"),
        ("absent", "connection refused"),
        ("it answers without end", "the answer is larger than 1048576 bytes"),
    ]
    yield from _with(made, *pairs)


def _depends() -> Iterator[Story]:
    made = gate("depends", on={"ledger": ">=2.3 <3"})
    yield "it runs", made, case(present={"ledger": release("2.4.0")})
    yield "an older one runs", made, case(present={"ledger": release("2.2.0")})
    yield "it does not run healthily", made, case()
    yield "its version cannot be compared", made, case(present={"ledger": release("main")})


def _order() -> Iterator[Story]:
    made = gate("order", prereleases=False)
    for situation, new, old in (
        ("newer", "1.1.0", "1.0.0"),
        ("older", "1.0.0", "1.1.0"),
        ("a pre-release", "1.1.0-rc.1", "1.0.0"),
        ("the same tag, other content", f"1.0.0@{DIGEST}", f"1.0.0@{OTHER}"),
        ("two commit hashes", "abc1234", "def5678"),
    ):
        yield situation, made, case(moves=(move(new, old),))


STORIES = {
    "approval": _approval, "checks": _checks, "depends": _depends, "dora": _dora, "freeze": _freeze, "health": _health, "hold": _hold,
    "http": _http, "image": _image, "metric": _metric, "order": _order, "policy": _policy, "soak": _soak, "upstream": _upstream,
    "webhook": _webhook, "window": _window,
}  # fmt: skip
