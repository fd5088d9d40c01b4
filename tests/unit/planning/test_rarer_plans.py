"""Plans in rarer worlds: registries that do not answer, orders that cannot be carried, several upstreams, unread repositories, teams."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.commands.model import Role
from bot.commands.shelf import verbs
from bot.domain.action import ClosePromotion, OpenPromotion, Revert
from bot.domain.arrival import Arrival
from bot.domain.directive import Directive, Order
from bot.domain.facts import Facts, Quarantine, StageView
from bot.domain.image import Version
from bot.domain.people import Person
from bot.domain.promotion import PromotionState
from bot.domain.pull import PullState
from bot.domain.rollout import ClusterSnapshot, RolloutState, WorkloadRef, WorkloadState
from bot.domain.slot import Holds, SlotProblem
from bot.planning.authorise import Rights, Target, authorize, listed, role_in
from bot.planning.health import healths
from bot.planning.naming import named
from bot.planning.offers import offered
from bot.planning.orders import rollback, taken_back
from bot.planning.plan import plan
from bot.planning.rollouts import decide
from bot.planning.standing import Plan, Standing
from tests.support.builders import ANA, BASE, HEAD, NOW, config, facts, health, promotion, pull, release, slot, stage, view

DIGEST = f"sha256:{'a' * 64}"
PLAIN = config()


def opened(found: Plan) -> dict[str, tuple[str, ...]]:
    return {one.promotion.name: one.promotion.services for one in found.actions if isinstance(one, OpenPromotion)}


def order(kind: Order, **more: Any) -> Directive:
    fields = {"stage": "qa", "service": "payments", "actor": ANA, "at": NOW - timedelta(minutes=1), "reason": "errors"}
    return Directive(key=f"k:{kind}", order=kind, **{**fields, **more})


def test_where_a_registry_cannot_be_asked_nobody_says_that_nothing_is_new() -> None:
    artifact = slot().artifact
    found = plan(PLAIN, facts(stage("dev"), about="dev", offer_problems={artifact: "the registry answers 401"}))
    (report,) = found.reports
    assert (report.standing, opened(found)) == (Standing.UNKNOWN, {})
    assert "the registry answers 401." in report.sentence
    assert found.problems == {f"new versions of {artifact}": "the registry answers 401"}


def test_an_older_version_that_the_slot_cannot_hold_is_not_guessed() -> None:
    pinned = replace(stage("qa"), services={"payments": view(slot(Version(tag="1.0.0", digest=DIGEST)))})
    back = order(Order.REVERT, version="0.9.0", details={"from": f"0=1.0.0@{DIGEST}", "was": "1.0.0"})
    found = plan(PLAIN, facts(stage("dev", "1.1.0"), pinned, directives=(back,)))
    (report,) = found.reports
    assert (report.standing, opened(found)) == (Standing.UNREADABLE, {})
    assert report.sentence.startswith("@ana ordered payments in qa back to 0.9.0: errors. payments/deployment.yaml:7 pins")


def diamond(*, uat: str | None, needs: str, ill: str = "") -> tuple[Any, Facts]:
    rules = config(uat={"after": "dev"}, prod={"after": ["qa", "uat"], "needs": needs})
    views = [stage("dev", "1.2.0"), stage("qa", "1.1.0"), stage("uat", uat), stage("prod", "1.0.0")]
    views = [
        replace(one, health={"payments": health(str(one.services["payments"].release), state=RolloutState.DEGRADED)})
        if one.stage == ill
        else one
        for one in views
    ]
    return rules, facts(*views, about="prod")


def versions(found: Plan) -> list[str]:
    return [str(move.new) for one in found.actions if isinstance(one, OpenPromotion) for move in one.promotion.moves]


@pytest.mark.parametrize(
    ("uat", "needs", "ill", "opens"),
    [
        ("1.1.0", "all", "", ["1.1.0"]),
        ("1.2.0", "all", "", []),
        ("1.1.0", "all", "uat", []),
        ("1.2.0", "any", "", ["1.2.0"]),
        ("1.0.9", "any", "", ["1.1.0"]),
        ("1.2.0", "any", "uat", ["1.1.0"]),
        ("1.0.9", "any", "qa", ["1.0.9"]),
    ],
)
def test_several_upstreams_agree_or_the_newest_healthy_one_counts(uat: str, needs: str, ill: str, opens: list[str]) -> None:
    assert versions(plan(*diamond(uat=uat, needs=needs, ill=ill))) == opens


def test_upstreams_that_differ_are_named_with_what_each_has() -> None:
    (report,) = plan(*diamond(uat="1.2.0", needs="all")).reports
    assert report.standing is Standing.WAITING
    assert "qa has 1.1.0 and uat has 1.2.0" in report.sentence


def test_what_failed_in_any_stage_before_does_not_enter_by_another_way() -> None:
    rules, seen = diamond(uat="1.1.0", needs="any")
    ban = Quarantine(stage="dev", service="payments", release=release("1.1.0"), at=NOW, reason="it crashed", promotion="p")
    assert versions(plan(rules, replace(seen, quarantines=(ban,)))) == []
    elsewhere = replace(ban, service="search")
    assert versions(plan(rules, replace(seen, quarantines=(elsewhere,)))) == ["1.1.0"]


@pytest.mark.parametrize("broken", ["dev", "qa"])
def test_a_repository_that_cannot_be_read_opens_nothing_and_says_why(broken: str) -> None:
    views = [stage("dev", "1.1.0"), stage("qa")]
    lost = StageView(stage=broken, head=None, services={}, health={}, problem="git says: no route to host")
    views = [lost if one.stage == broken else one for one in views]
    found = plan(PLAIN, facts(*views))
    assert opened(found) == {}
    assert found.problems == {f"repository of {broken}": "git says: no route to host"}
    assert {(report.standing, report.sentence) for report in found.reports} <= {(Standing.UNKNOWN, "git says: no route to host")}


def test_every_problem_of_the_run_is_told_by_its_place() -> None:
    qa = replace(
        stage("qa"),
        cluster_problem="connection refused",
        problems=(SlotProblem(path="x.yaml", line=3, code="ParseError", message="it is no YAML"),),
    )
    found = plan(PLAIN, facts(stage("dev"), qa, forge_problem="GitHub answers 502"))
    assert found.problems == {"cluster of qa": "connection refused", "qa: x.yaml:3": "it is no YAML", "forge": "GitHub answers 502"}


@pytest.mark.parametrize(
    ("batch", "names"),
    [("service", {"payments", "search", "ledger"}), ("team", {"blue", "ledger"}), ("stage", {"all"})],
)
def test_services_of_a_team_or_of_all_go_in_one_pull_request(batch: str, names: set[str]) -> None:
    owned = {name: {"images": [f"ghcr.io/acme/{name}"], "team": "blue"} for name in ("payments", "search")}
    rules = config(qa={"batch": batch}, services=owned)
    everywhere = []
    for name, text in (("dev", "1.1.0"), ("qa", "1.0.0")):
        services = {one: view(slot(text, service=one), service=one) for one in ("payments", "search", "ledger")}
        healthy = {one: health(text, service=one) for one in services}
        everywhere.append(replace(stage(name, None), services=services, health=healthy))
    found = opened(plan(rules, facts(*everywhere)))
    assert set(found) == names
    assert sorted(service for services in found.values() for service in services) == ["ledger", "payments", "search"]


def test_only_what_rolls_out_is_decided_as_a_rollout() -> None:
    with pytest.raises(ValueError, match="nothing rolls out"):
        decide(PLAIN, facts(stage("dev"), stage("qa")), promotion())


def test_an_order_to_go_back_is_carried_out_where_failures_are_only_told_of() -> None:
    tells = config(qa={"on_failure": "notify"})
    failed = promotion(state=PromotionState.FAILED, merged_at=NOW, failed_at=NOW, reason="ordered", merge_commit="c" * 40)
    back = order(Order.REVERT, details={"from": "0=1.1.0", "was": "1.1.0"}, at=NOW + timedelta(seconds=1))
    seen = facts(stage("dev", "1.1.0"), stage("qa", "1.1.0"), promotions=(failed,))
    assert not [one for one in plan(tells, seen).actions if isinstance(one, Revert)]
    ordered = plan(tells, replace(seen, directives=(back,), now=NOW + timedelta(minutes=1)))
    assert len([one for one in ordered.actions if isinstance(one, Revert)]) == 1


def test_a_pull_request_of_which_nothing_was_read_is_read_before_anything_is_said_of_it() -> None:
    seen = facts(stage("dev", "1.1.0"), stage("qa"), promotions=(promotion(),), branches={"promote/qa/payments": HEAD})
    assert plan(PLAIN, seen).reread == (7,)
    read = replace(seen, pulls={7: pull(state=PullState.OPEN)})
    assert plan(PLAIN, read).reread == ()


@pytest.mark.parametrize("kind", [Order.MERGE, Order.DISABLE])
def test_orders_of_other_pull_requests_do_not_count(kind: Order) -> None:
    manual = config(qa={"merge": "manual" if kind is Order.MERGE else "auto"})
    seen = facts(
        stage("dev", "1.1.0"), stage("qa"), promotions=(promotion(),), pulls={7: pull()}, branches={"promote/qa/payments": HEAD}
    )  # fmt: skip
    alone = plan(manual, seen).actions
    assert plan(manual, replace(seen, directives=(order(kind, number=8, head=HEAD),))).actions == alone
    assert plan(manual, replace(seen, directives=(order(kind, number=7, head=HEAD),))).actions != alone


def workload(image: str, name: str, *, state: RolloutState = RolloutState.HEALTHY, kind: str = "Deployment") -> WorkloadState:
    ref = WorkloadRef(kind=kind, namespace="shop", name=name, api_version="apps/v1")
    return WorkloadState(ref=ref, images=(image,), state=state, reason="CrashLoopBackOff", observed_at=NOW)


def test_a_workload_that_still_wants_the_old_version_and_is_ill_is_told_with_its_own_words() -> None:
    ill = workload("ghcr.io/acme/payments:1.0.0", "payments", state=RolloutState.DEGRADED)
    found = healths(stage("qa", "1.1.0").services, ClusterSnapshot(at=NOW, workloads=(ill,), reachable=True), recorded={}, now=NOW)
    assert found["payments"].state is RolloutState.PROGRESSING
    assert "still wants 1.0.0, git declares 1.1.0" in found["payments"].reason
    assert found["payments"].reason.endswith("is degraded: CrashLoopBackOff")


def test_where_git_disagrees_with_itself_nobody_knows_what_should_run() -> None:
    torn = {"payments": view(slot("1.0.0"), slot("1.1.0", line=30))}
    found = healths(torn, ClusterSnapshot(at=NOW, workloads=(), reachable=True), recorded={}, now=NOW)
    assert found["payments"].state is RolloutState.UNKNOWN
    assert "git does not say" in found["payments"].reason


def test_a_question_about_no_stage_is_answered_to_whoever_may_look_at_one() -> None:
    nowhere, spec = Target(stages=()), verbs()["help"].spec
    may = authorize(PLAIN, ANA, spec, nowhere, {"dev": Rights(permission="none"), "qa": Rights(permission="read")})
    assert may.allowed
    never = authorize(PLAIN, ANA, spec, nowhere, {"dev": Rights(permission="none"), "qa": Rights(problem="GitHub is away")})
    assert (never.allowed, never.needs, never.problem) == (False, Role.VIEWER, "GitHub is away")


def test_whoever_may_not_even_look_is_told_what_would_let_them() -> None:
    denied = authorize(PLAIN, ANA, verbs()["freeze"].spec, Target(stages=("qa",)), {"qa": Rights(permission="none")})
    assert (denied.allowed, denied.needs, denied.who) == (False, Role.VIEWER, ("everybody who can read acme/env-qa",))


def test_a_bot_is_listed_by_its_id_and_a_name_that_changed_hands_is_not() -> None:
    rules = config(people={"bots": ["robo[bot]", 91]})
    robo = Person(id=90, login="robo[bot]", bot=True)
    assert listed(rules, robo, {"qa": Rights(accounts={"robo[bot]": 90})})
    assert not listed(rules, robo, {"qa": Rights(accounts={"robo[bot]": 17})})
    assert not listed(rules, robo, {"qa": Rights()})
    assert listed(rules, replace(robo, id=91, login="other[bot]"), {})


def test_a_line_that_names_a_stage_and_no_service_is_left_as_it_is() -> None:
    known = {"qa": (promotion(),)}
    assert named("approve qa", known, verbs()).line == "approve qa"
    assert named("approve nothing qa", known, verbs()).number is None
    gone = {"qa": (promotion(number=None),)}
    assert "No promotion of payments into qa is under way." in named("approve payments qa", gone, verbs()).problem


def test_a_stage_that_does_not_move_keeps_its_head() -> None:
    assert plan(PLAIN, facts(stage("dev"), stage("qa", head=BASE))).actions == ()


def test_a_ban_of_another_stage_s_branch_and_one_that_was_retried_do_not_count() -> None:
    rules = config(uat={"after": "dev"}, prod={"after": "qa"})
    seen = facts(stage("dev", "1.2.0"), stage("qa", "1.1.0"), stage("uat", "1.1.0"), stage("prod", "1.0.0"), about="prod")
    ban = Quarantine(stage="uat", service="payments", release=release("1.1.0"), at=NOW - timedelta(hours=1), reason="x", promotion="p")
    assert versions(plan(rules, replace(seen, quarantines=(ban,)))) == ["1.1.0"]
    here = replace(ban, stage="qa")
    assert versions(plan(rules, replace(seen, quarantines=(here,)))) == []
    again = order(Order.RETRY, stage="qa")
    assert versions(plan(rules, replace(seen, quarantines=(here,), directives=(again,)))) == ["1.1.0"]


def test_nobody_fills_a_role_where_the_forge_could_not_be_asked() -> None:
    assert role_in(PLAIN, ANA, "qa", Rights(permission="admin", problem="GitHub is away")) is None


def test_nothing_is_offered_where_the_files_disagree_or_the_offer_is_of_something_else() -> None:
    torn = view(slot("1.0.0"), slot("1.1.0", line=30))
    arrival = Arrival(artifact=slot().artifact, version=Version.parse("2.0.0"), at=NOW, source="registry")
    assert offered(torn, {slot().artifact: arrival}) is None
    assert offered(view(slot("1.0.0")), {"ghcr.io/acme/search": arrival}) is None
    offer = offered(view(slot("1.0.0")), {slot().artifact: arrival})
    assert offer is not None
    assert (str(offer.release), offer.since) == ("2.0.0", NOW)


def test_an_order_to_go_back_is_over_once_something_was_promoted_since() -> None:
    back = order(Order.REVERT, version="0.9.0", details={"from": "0=1.0.0", "was": "1.0.0"})
    seen = facts(stage("dev"), stage("qa"), directives=(back,))
    assert rollback(seen, "payments") == back
    assert rollback(seen, "search") is None
    since = promotion("1.0.0", "0.8.0", state=PromotionState.HEALTHY, merged_at=NOW, ended_at=NOW)
    assert rollback(replace(seen, promotions=(since,)), "payments") is None
    other = promotion("1.0.0", "0.8.0", service="search", state=PromotionState.HEALTHY, merged_at=NOW, ended_at=NOW)
    assert rollback(replace(seen, promotions=(other,)), "payments") == back
    newer = replace(back, key="z", at=NOW)
    assert rollback(replace(seen, directives=(back, newer)), "payments") == newer


def test_a_chart_s_version_without_an_object_of_its_own_runs_in_no_workload_that_is_known() -> None:
    chart = slot("1.0.0", holds=Holds.CHART, artifact="payments", owner=None)
    found = healths({"payments": view(chart)}, ClusterSnapshot(at=NOW, workloads=(), reachable=True), recorded={}, now=NOW)
    assert found["payments"].state is RolloutState.UNKNOWN
    assert "no workload in the cluster runs payments" in found["payments"].reason


@pytest.mark.parametrize(("after", "names"), [("search", {"search"}), ("search@qa", {"search"}), ("search@prod", {"payments", "search"})])
def test_a_promotion_that_goes_after_another_in_this_stage_waits_for_it_by_name(after: str, names: set[str]) -> None:
    rules = config(services={"payments": {"images": ["ghcr.io/acme/payments"], "after": [after]}})
    both = []
    for name, text in (("dev", "1.1.0"), ("qa", "1.0.0")):
        found = {one: view(slot(text, service=one), service=one) for one in ("payments", "search")}
        both.append(replace(stage(name, None), services=found, health={one: health(text, service=one) for one in found}))
    planned = plan(rules, facts(*both))
    assert set(opened(planned)) == names
    assert any("payments goes after search in qa" in report.sentence for report in planned.reports) is (len(names) == 1)


def test_an_opening_that_was_cut_short_is_opened_again_as_the_same_promotion() -> None:
    begun = promotion(state=PromotionState.OPENING, number=None, head="", url="")
    found = plan(PLAIN, facts(stage("dev", "1.1.0"), stage("qa"), promotions=(begun,)))
    (action,) = [one for one in found.actions if isinstance(one, OpenPromotion)]
    assert (action.promotion.id, action.promotion.branch) == (begun.id, begun.branch)


@pytest.mark.parametrize("touches", [False, True])
def test_an_opening_that_was_cut_short_does_not_hang_when_the_stage_moves_on(touches: bool) -> None:
    """Somebody else's merge leaves it as it is; where its own files changed, it is over, and is planned anew without it."""
    begun = promotion(state=PromotionState.OPENING, number=None, head="", url="")
    path = begun.moves[0].edits[0].path if touches else "search/deployment.yaml"
    seen = facts(stage("dev", "1.1.0"), stage("qa", head="e" * 40), promotions=(begun,), changed={begun.id: (path,)})
    (action,) = [one for one in plan(PLAIN, seen).actions if isinstance(one, OpenPromotion | ClosePromotion)]
    assert (type(action), action.promotion.id) == (ClosePromotion if touches else OpenPromotion, begun.id)


def test_a_promotion_whose_service_stands_nowhere_any_more_is_closed_with_the_reason() -> None:
    seen = facts(
        stage("dev", None), stage("qa", None), promotions=(promotion(),), pulls={7: pull()}, branches={"promote/qa/payments": HEAD}
    )  # fmt: skip
    (action,) = [one for one in plan(PLAIN, seen).actions if isinstance(one, ClosePromotion)]
    assert action.promotion.id == promotion().id
    assert "payments" in action.reason


def test_a_batch_waits_while_one_of_its_services_still_rolls_out() -> None:
    rules = config(qa={"batch": "stage"})
    both = []
    for name, texts in (("dev", ("1.2.0", "1.1.0")), ("qa", ("1.1.0", "1.0.0"))):
        versions_of = dict(zip(("payments", "search"), texts, strict=True))
        found = {one: view(slot(text, service=one), service=one) for one, text in versions_of.items()}
        both.append(
            replace(stage(name, None), services=found, health={one: health(text, service=one) for one, text in versions_of.items()})
        )
    rolling = promotion(name="payments", state=PromotionState.MERGED, merged_at=NOW, rollout_since=NOW)
    planned = plan(rules, facts(*both, promotions=(rolling,)))
    assert opened(planned) == {}
    assert any(
        report.service == "all" and report.standing is Standing.WAITING and "payments" in report.sentence for report in planned.reports
    )


def test_a_stage_whose_branch_is_not_known_now_opens_nothing_on_what_was_read_before() -> None:
    stale = replace(stage("qa"), head=None, problem="git says: no route to host.")
    found = plan(PLAIN, facts(stage("dev", "1.1.0"), stale))
    assert opened(found) == {}
    assert [(report.standing, report.sentence) for report in found.reports] == [(Standing.UNKNOWN, "git says: no route to host.")]


@pytest.mark.parametrize("state", [PromotionState.OPEN, PromotionState.REVERTED, PromotionState.STUCK])
def test_only_what_was_merged_and_stands_can_be_taken_back(state: PromotionState) -> None:
    back = order(Order.REVERT, details={"from": "0=1.1.0", "was": "1.1.0"})
    seen = facts(stage("dev", "1.1.0"), stage("qa", "1.1.0"), directives=(back,))
    assert taken_back(seen, promotion(state=state)) is None
    assert taken_back(seen, promotion(state=PromotionState.HEALTHY)) == back
    assert taken_back(seen, promotion("1.2.0", state=PromotionState.HEALTHY)) is None
