"""The gates that ask the outside: what they ask, and what each kind of answer means. Unknown is never passed."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot.domain.dora_rule import DeliveryStats, OpenFailure
from bot.domain.facts import Answer
from bot.domain.verdict import Outcome
from bot.gates import evaluate_all
from bot.gates._document import document
from tests.support.builders import NOW, health, release
from tests.support.cases import answered, case, check, gate, judge, move

PASSED, PENDING, FAILED, UNKNOWN = Outcome.PASSED, Outcome.PENDING, Outcome.FAILED, Outcome.UNKNOWN
GARBAGE = [None, "", "yes", 1, [], {}, [1], {"state": 1}, True]


def asked(made: Any, value: object = None, **more: Any) -> Outcome:
    about = more.pop("about", case())
    return judge(made, answered(made, about, value, **more)).outcome


OUTSIDE = [
    gate("http", url="https://a.example"),
    gate("metric", query="up", max=1),
    gate("image"),
    gate("dora"),
    gate("policy", rule="a/b"),
    gate("webhook", url="https://a.example"),
]


@pytest.mark.parametrize("made", OUTSIDE, ids=lambda made: made.gate)
@pytest.mark.parametrize("value", GARBAGE, ids=repr)
def test_no_garbage_passes(made: Any, value: object) -> None:
    if made.gate == "policy" and value is True:
        return
    (verdict,) = evaluate_all([made], answered(made, case(), value))
    assert verdict.outcome is UNKNOWN
    assert verdict.changer


@pytest.mark.parametrize("made", OUTSIDE, ids=lambda made: made.gate)
def test_without_an_answer_it_is_unknown_and_tells_the_problem(made: Any) -> None:
    assert judge(made, case()).outcome is UNKNOWN
    verdict = judge(made, answered(made, case(), problem="connection refused"))
    assert verdict.outcome is UNKNOWN
    assert "connection refused" in verdict.sentence


def attempts(*statuses: int, ago: int = 0, **more: Any) -> list[dict[str, Any]]:
    last = NOW - timedelta(seconds=ago)
    found = [
        {"at": last - timedelta(seconds=30 * index), "status": status, "body": "ok", **more}
        for index, status in enumerate(reversed(statuses))
    ]
    return found[::-1]


@pytest.mark.parametrize(
    ("settings", "value", "outcome"),
    [
        ({}, attempts(200), PASSED),
        ({}, attempts(204), PASSED),
        ({}, attempts(301), FAILED),
        ({"status": ["200", "301-308"]}, attempts(301), PASSED),
        ({}, attempts(200, 503), FAILED),
        ({"times": 3}, attempts(200, 200), PENDING),
        ({"times": 3}, attempts(200, 503, 200, 200), PENDING),
        ({"times": 3}, attempts(503, 200, 200, 200), PASSED),
        ({}, attempts(200, error="timed out"), UNKNOWN),
        ({"body": "^ok$"}, attempts(200), PASSED),
        ({"body": "ready"}, attempts(200), FAILED),
        ({}, attempts(200, ago=151), UNKNOWN),
        ({}, attempts(200, ago=149), PASSED),
    ],
)
def test_http(settings: dict[str, Any], value: Any, outcome: Outcome) -> None:
    assert asked(gate("http", url="https://a.example", **settings), value) is outcome


def test_http_asks_per_service_and_nothing_can_change_the_address() -> None:
    made = gate("http", url="https://${stage}.example/${service}?v=${version}", times=3, credential="status")
    about = case(moves=(move("1.1.0/../x?a=b&c#d"), move(service="orders")))
    first, second = made.questions(about)
    assert dict(first.params)["url"] == "https://prod.example/payments?v=1.1.0%2F..%2Fx%3Fa%3Db%26c%23d"
    assert dict(second.params)["url"] == "https://prod.example/orders?v=1.1.0"
    assert dict(first.params)["credential"] == "status"
    verdict = judge(made, answered(made, about, attempts(200, 200, 500)))
    assert (verdict.outcome, verdict.look_again) == (FAILED, NOW + timedelta(seconds=30))


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "ftp://a.example"},
        {"url": "https://user:pw@a.example"},
        {"url": "https://a.example/${nope}"},
        {"url": "https://a.example", "status": ["600"]},
        {"url": "https://a.example", "body": "(?=look)"},
        {"url": "https://a.example", "body": "("},
        {"url": "https://a.example", "times": 0},
    ],
)
def test_http_settings_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        gate("http", **settings)


def series(*values: float, step: int = 30, ago: int = 0, **labels: str) -> dict[str, Any]:
    last = NOW.timestamp() - ago
    count = len(values)
    return {"labels": labels, "samples": [[last - step * (count - 1 - index), value] for index, value in enumerate(values)]}


STEADY = [0.001] * 31


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ([series(*STEADY)], PASSED),
        ([series(*STEADY), series(*STEADY)], PASSED),
        ([series(*STEADY), series(*STEADY[:-1], 0.5)], FAILED),
        ([series(*STEADY[:20], 0.5, *STEADY[:10])], PENDING),
        ([series(*STEADY[:10])], PENDING),  # measured for less than the whole time
        ([], UNKNOWN),
        ([{"labels": {}, "samples": []}], UNKNOWN),
        ([series(*STEADY[:-1], float("nan"))], UNKNOWN),
        ([series(*STEADY, ago=120)], UNKNOWN),  # it stopped
        ([{"labels": {}, "samples": [*series(*STEADY)["samples"][:10], *series(*STEADY)["samples"][20:]]}], UNKNOWN),  # a hole
    ],
)
def test_metric_over_time(value: Any, outcome: Outcome) -> None:
    assert asked(gate("metric", query="errors", max=0.01, **{"for": "15m"}), value) is outcome


@pytest.mark.parametrize("at", [NOW.timestamp() + 86_400, NOW.timestamp() * 1_000, float("nan"), float("inf")])
def test_a_sample_of_another_time_than_now_tells_nothing(at: float) -> None:
    assert asked(gate("metric", query="errors", max=0.01), [{"labels": {}, "samples": [[at, 0.0]]}]) is UNKNOWN
    verdict = judge(
        gate("metric", query="q", max=1), answered(gate("metric", query="q", max=1), case(), [{"labels": {}, "samples": [[at, 0.0]]}])
    )
    assert "in the future" in verdict.sentence
    late = [*series(*STEADY)["samples"], [at, 0.001]]
    assert asked(gate("metric", query="errors", max=0.01, **{"for": "15m"}), [{"labels": {}, "samples": late}]) is UNKNOWN


def test_a_metric_that_was_bad_wakes_when_that_leaves_the_time() -> None:
    made = gate("metric", query="errors", max=0.01, **{"for": "15m"})
    bad = series(*STEADY[:20], 0.5, *STEADY[:10])
    assert judge(made, answered(made, case(), [bad])).look_again == NOW + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("settings", "value", "outcome"),
    [
        ({"max": 1}, 1.0, PASSED),
        ({"max": 1}, 1.1, FAILED),
        ({"min": 1}, 1.0, PASSED),
        ({"min": 1}, 0.9, FAILED),
        ({"min": 0, "max": 1}, 0.5, PASSED),
        ({"max": 1}, float("inf"), FAILED),
        ({"max": 1}, float("nan"), UNKNOWN),
    ],
)
def test_metric_now(settings: dict[str, Any], value: float, outcome: Outcome) -> None:
    assert asked(gate("metric", query="x", **settings), [series(value)]) is outcome


@pytest.mark.parametrize(
    ("new", "old", "outcome"),
    [
        ([series(1.0)], [series(1.0)], PASSED),
        ([series(1.1)], [series(1.0)], PASSED),
        ([series(1.2)], [series(1.0)], FAILED),
        ([series(0.0)], [series(0.0)], PASSED),
        ([series(0.1)], [series(0.0)], UNKNOWN),
        ([series(1.0), series(1.0)], [series(1.0)], UNKNOWN),
        ([series(1.0)], [], UNKNOWN),
        ([series(float("inf"))], [series(1.0)], UNKNOWN),
        ([series(1.0)], [series(float("inf"))], UNKNOWN),
    ],
)
def test_metric_beside_its_baseline(new: Any, old: Any, outcome: Outcome) -> None:
    made = gate("metric", query='lat{v="${version}"}', baseline={"query": 'lat{v="${old}"}', "max_ratio": 1.1})
    about = case()
    first, second = made.questions(about)
    assert [dict(question.params)["query"] for question in (first, second)] == ['lat{v="1.1.0"}', 'lat{v="1.0.0"}']
    given = {first: Answer(at=NOW, value=new), second: Answer(at=NOW, value=old)}
    assert judge(made, case(answers=given)).outcome is outcome


def test_nothing_breaks_out_of_a_quoted_string_of_promql() -> None:
    made = gate("metric", query='up{v="${version}"}', max=1)
    question = made.questions(case(moves=(move('1"} or vector(0) # \\'),)))[0]
    assert dict(question.params)["query"] == 'up{v="1\\"} or vector(0) # \\\\"}'


@pytest.mark.parametrize(
    "settings", [{}, {"min": 2, "max": 1}, {"max": 1, "for": "1m", "step": "50s"}, {"max": float("nan")}, {"max": 1, "query": "${x}"}]
)
def test_metric_settings_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        gate("metric", **{"query": "up", **settings})


DIGEST, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
THERE = {"exists": True, "digest": DIGEST}
PINNED = case(moves=(move(f"1.1.0@{DIGEST}"),))


@pytest.mark.parametrize(
    ("settings", "value", "outcome"),
    [
        ({}, THERE, PASSED),
        ({}, {"exists": False}, FAILED),
        ({}, {"exists": True, "digest": OTHER}, FAILED),
        ({}, {"exists": True}, UNKNOWN),
        ({"platforms": ["linux/amd64"]}, THERE, UNKNOWN),
        ({"platforms": ["linux/amd64"]}, {**THERE, "platforms": ["linux/amd64", "linux/arm64"]}, PASSED),
        ({"platforms": ["linux/amd64"]}, {**THERE, "platforms": ["linux/arm64"]}, FAILED),
        ({"max_age": "10d"}, THERE, UNKNOWN),
        ({"max_age": "10d"}, {**THERE, "created": NOW - timedelta(days=11)}, FAILED),
        ({"max_age": "10d"}, {**THERE, "created": NOW - timedelta(days=9)}, PASSED),
        ({"min_age": "1d"}, {**THERE, "created": NOW - timedelta(hours=1)}, PENDING),
        ({"labels": {"s": "https://github.com/acme/*"}}, THERE, UNKNOWN),
        ({"labels": {"s": "https://github.com/acme/*"}}, {**THERE, "labels": {"s": "https://github.com/acme/x"}}, PASSED),
        ({"labels": {"s": "https://github.com/acme/*"}}, {**THERE, "labels": {"s": "https://evil.example/acme/x"}}, FAILED),
        ({"labels": {"s": "x"}}, {**THERE, "labels": {}}, FAILED),
        ({"signature": {"key": "/k.pub"}}, THERE, UNKNOWN),
        ({"signature": {"key": "/k.pub"}}, {**THERE, "signed": False}, FAILED),
        ({"signature": {"key": "/k.pub"}}, {**THERE, "signed": True}, PASSED),
        ({"signature": {"key": "/k.pub", "attestation": "slsa"}}, {**THERE, "signed": True}, UNKNOWN),
        ({"signature": {"key": "/k.pub", "attestation": "slsa"}}, {**THERE, "signed": True, "attested": True}, PASSED),
    ],
)
def test_image(settings: dict[str, Any], value: Any, outcome: Outcome) -> None:
    assert asked(gate("image", **settings), value, about=PINNED) is outcome


def test_a_tag_alone_is_refused_when_the_digest_is_wanted() -> None:
    assert asked(gate("image"), THERE) is PASSED
    assert asked(gate("image", digest=True), THERE) is FAILED


def test_image_asks_once_per_image_and_leaves_out_what_is_ignored() -> None:
    about = case(moves=(move(), move(), move(service="orders")))
    assert len(gate("image").questions(about)) == 2
    assert len(gate("image", ignore="*/orders").questions(about)) == 1
    assert judge(gate("image", ignore="*"), about).sentence == "The promotion changes no image."


def stats(**more: Any) -> DeliveryStats:
    return DeliveryStats(**{"failed": 0, "changes": 20, "days": 28, "as_of": NOW, **more})


def failure(service: str) -> OpenFailure:
    return OpenFailure(deploy="d1", service=service, version="1.0.0", since=NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("settings", "value", "outcome"),
    [
        ({}, stats(), PASSED),
        ({}, stats(open_failures=(failure("orders"),)), FAILED),
        ({}, stats(open_failures=(failure("payments"),)), FAILED),
        ({"own_failures": False}, stats(open_failures=(failure("payments"),)), PASSED),  # a newer payments is the remedy
        ({"own_failures": False}, stats(open_failures=(failure("orders"),)), FAILED),
        ({"open_failure": "warn"}, stats(open_failures=(failure("orders"),)), PASSED),
        ({}, stats(failed=15), PASSED),  # warns by default
        ({"change_fail_rate": "block"}, stats(failed=15), FAILED),
        ({"change_fail_rate": "block"}, stats(failed=4), PASSED),  # above 15 %, but not beyond chance
        ({"change_fail_rate": "block"}, stats(failed=3, changes=3), PASSED),  # too few to judge
    ],
)
def test_dora(settings: dict[str, Any], value: Any, outcome: Outcome) -> None:
    assert asked(gate("dora", **settings), value) is outcome


def test_delivery_metrics_never_stop_the_remedy() -> None:
    made, bad = gate("dora", change_fail_rate="block"), stats(failed=20, open_failures=(failure("orders"),))
    assert asked(made, bad) is FAILED
    assert asked(made, bad, about=case(hotfix=True)) is PASSED
    assert asked(made, bad, about=case(labels=frozenset({"security"}))) is PASSED


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ({"state": "passed"}, PASSED),
        ({"allow": True}, PASSED),
        ({"state": "failed", "reason": "ticket is closed"}, FAILED),
        ({"allow": False}, FAILED),
        ({"state": "pending"}, PENDING),
        ({"state": "passed", "allow": False}, UNKNOWN),
        ({"state": "PASSED"}, UNKNOWN),
        ({"allow": 1}, UNKNOWN),
        ({"allow": "true"}, UNKNOWN),
        ({"reason": "x"}, UNKNOWN),
    ],
)
def test_webhook(value: Any, outcome: Outcome) -> None:
    assert asked(gate("webhook", url="https://a.example"), value) is outcome


def test_a_webhook_is_asked_again_and_its_reason_is_told() -> None:
    made = gate("webhook", url="https://a.example", every="2m")
    verdict = judge(made, answered(made, case(), {"allow": False, "reason": "ticket\n  is closed."}))
    assert (verdict.sentence, verdict.look_again) == ("https://a.example says no: ticket is closed.", NOW + timedelta(minutes=2))
    soon = judge(made, answered(made, case(), {"state": "pending"}, look_again=NOW + timedelta(hours=1)))
    assert soon.look_again == NOW + timedelta(hours=1)


def test_the_document_speaks_of_the_promotions_own_services_only() -> None:
    crowded = case(target={"payments": health(), "orders": health(service="orders")})
    assert list(document(crowded)["target"]) == ["payments"]


def test_the_question_changes_with_the_facts_and_not_with_time() -> None:
    made = gate("webhook", url="https://a.example")
    assert made.questions(case()) == made.questions(case(now=NOW + timedelta(hours=1)))
    assert made.questions(case()) != made.questions(case(checks=(check(),)))


@pytest.mark.parametrize(
    ("expression", "outcome"),
    [
        ("size(promotion.moves) <= 5", PASSED),
        ("size(promotion.moves) > 5", FAILED),
        ("promotion.moves.all(m, m.direction == 'upgrade')", PASSED),
        ("promotion.moves[0].to == '1.1.0' && promotion.moves[0].from == '1.0.0'", PASSED),
        ("promotion.upstreams.exists(u, u.state == 'healthy' && now - timestamp(u.healthy_since) > duration('2h'))", PASSED),
        ("promotion.target['payments'].state == 'healthy'", PASSED),
        ("promotion.approvals.size() >= 1", FAILED),
        ("promotion.nope == 1", UNKNOWN),
        ("promotion.moves[7].to == 'x'", UNKNOWN),
        ("promotion.name", UNKNOWN),
        ("1 / 0 == 1", UNKNOWN),
        ("[1,2,3,4,5,6,7,8,9].map(a, [1,2,3,4,5,6,7,8,9].map(b, [1,2,3,4,5,6,7,8,9].map(c, [1,2,3,4,5,6,7,8,9].map(d, "
         "[1,2,3,4,5,6,7,8,9].map(e, [1,2,3,4,5,6,7,8,9].map(f, a)))))).size() > 0", UNKNOWN),
    ],
)  # fmt: skip
def test_policy_in_cel(expression: str, outcome: Outcome) -> None:
    assert judge(gate("policy", expression=expression), case()).outcome is outcome


def test_a_policy_says_its_own_message() -> None:
    assert judge(gate("policy", expression="false", message="Too big."), case()).sentence == "The policy does not allow it: Too big."
    assert judge(gate("policy", expression="false"), case()).sentence == "The policy does not allow it (`false` is false)."


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"expression": "true", "rule": "a/b"},
        {"expression": "1 +"},
        {"expression": "1 + 1"},
        {"expression": "nobody == 1"},
        {"rule": "../x"},
    ],
)
def test_policies_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        gate("policy", **settings)


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (True, PASSED),
        (False, FAILED),
        ({"allow": True}, PASSED),
        ({"allow": False, "reasons": ["too late"]}, FAILED),
        ({"deny": []}, PASSED),
        ({"deny": ["no ticket"]}, FAILED),
        ({"allow": True, "deny": ["no ticket"]}, FAILED),
        ({"allow": "true"}, UNKNOWN),
        ({"deny": "no ticket"}, FAILED),
    ],
)
def test_policy_by_opa(value: Any, outcome: Outcome) -> None:
    assert asked(gate("policy", rule="promotion/allow"), value) is outcome


@pytest.mark.parametrize(
    ("settings", "new", "old", "outcome"),
    [
        ({}, "1.1.0", "1.0.0", PASSED),
        ({}, "1.0.0", "1.1.0", FAILED),
        ({"downgrades": True}, "1.0.0", "1.1.0", PASSED),
        ({}, "1.10", "1.9", PASSED),
        ({}, "abc1234", "def5678", UNKNOWN),
        ({"unordered": "pass"}, "abc1234", "def5678", PASSED),
        ({"prereleases": False}, "1.1.0-rc.1", "1.0.0", FAILED),
        ({"prereleases": False}, "1.1.0-alpine", "1.0.0", PASSED),
        ({}, "1.1.0-rc.1", "1.0.0", PASSED),
        ({}, f"1.0.0@{DIGEST}", f"1.0.0@{OTHER}", FAILED),
        ({"repushed": True}, f"1.0.0@{DIGEST}", f"1.0.0@{OTHER}", PASSED),
    ],
)
def test_order(settings: dict[str, Any], new: str, old: str, outcome: Outcome) -> None:
    assert judge(gate("order", **settings), case(moves=(move(new, old),))).outcome is outcome


@pytest.mark.parametrize(
    ("wanted", "present", "outcome"),
    [
        (">=2.3 <3", "2.3.0", PASSED),
        (">=2.3 <3", "2.10.1", PASSED),
        (">=2.3, <3", "3.0.0", PENDING),
        (">=2.3", "2.2.9", PENDING),
        ("2.3.0", "2.3.0", PASSED),
        ("==2.3.0", "2.3.1", PENDING),
        ("!=2.3.1", "2.3.1", PENDING),
        ("*", "anything", PASSED),
        (">=2.3", "main", UNKNOWN),
        (">=2.3", None, PENDING),
    ],
)
def test_depends(wanted: str, present: str | None, outcome: Outcome) -> None:
    there = {"ledger": release(present)} if present else {}
    assert judge(gate("depends", on={"ledger": wanted}), case(present=there)).outcome is outcome


def test_what_moves_in_the_same_pull_request_does_not_run_yet() -> None:
    about = case(moves=(move(), move("2.3.0", service="ledger")), present={"ledger": release("2.2.0")})
    verdict = judge(gate("depends", on={"ledger": ">=2.3"}), about)
    assert verdict.outcome is PENDING
    assert "must go first" in verdict.sentence


def test_a_dependency_does_not_wait_for_itself_nor_others_that_are_not_meant() -> None:
    own = case(moves=(move(service="ledger"),))
    assert judge(gate("depends", on={"ledger": ">=2.3"}), own).outcome is PASSED
    assert judge(gate("depends", on={"ledger": ">=2.3"}, services=["orders"]), case()).outcome is PASSED
    assert judge(gate("depends", on={"ledger": ">=2.3"}, services=["payments"]), case()).outcome is PENDING


@pytest.mark.parametrize("wanted", ["", ">=", ">= <2", ">=main", "^1.2 ||"])
def test_ranges_that_are_refused(wanted: str) -> None:
    with pytest.raises(ValidationError):
        gate("depends", on={"ledger": wanted})
