"""Applying actions to a real forge and real git: what stands there afterwards, read without the bot."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.action import ClosePromotion, Notify, SavePromotion, Severity, Show, UpdatePromotion
from bot.domain.errors import Refused, Stale, TransientError
from bot.domain.promotion import Promotion, PromotionState
from bot.reconcile.apply import apply
from bot.reconcile.settling import settle
from tests.contract.reconcile.stage_world import StageWorld, manifest


def opened(world: StageWorld) -> Promotion:
    apply(world.tools(), world.opening())
    return world.only()


def merged(world: StageWorld) -> Promotion:
    apply(world.tools(), world.merging(opened(world)))
    return world.only()


def test_opening_costs_one_push_and_two_calls(world: StageWorld) -> None:
    world.hub.ledger.reset()
    promotion = opened(world)
    assert (promotion.state, promotion.number) == (PromotionState.OPEN, 1)
    pull = world.hub.pull(world.repo, 1)
    assert (pull.title, pull.state) == ("promote(qa): payments", "open")
    assert world.hub.head(world.repo, promotion.branch) == promotion.head
    assert world.text(promotion.branch) == manifest("1.1.0")
    calls = [f"{entry.method} {entry.operation}" for entry in world.hub.ledger.rest if entry.operation.startswith("/repos")]
    assert calls == ["POST /repos/{owner}/{repo}/pulls", "POST /repos/{owner}/{repo}/issues/{issue_number}/labels"]
    assert world.hub.ledger.graphql == ()


def test_a_signed_opening_costs_one_document_and_the_first_status_brings_the_labels(signing: StageWorld) -> None:
    signing.forge.pulls(signing.repo, base_branch="main", prefix="promote/")
    signing.hub.ledger.reset()
    promotion = opened(signing)
    assert [entry for entry in signing.hub.ledger.rest if entry.operation.startswith("/repos")] == []
    assert len(signing.hub.ledger.graphql) == 1
    assert signing.text(promotion.branch) == manifest("1.1.0")
    assert signing.hub.head(signing.repo, promotion.branch) == promotion.head
    apply(signing.tools(), shown(promotion))
    assert [label.name for label in signing.hub.pull(signing.repo, 1).labels] == ["promotion:waiting"]
    assert len(signing.hub.ledger.graphql) == 2


def test_a_lost_answer_to_a_signed_opening_is_found(signing: StageWorld) -> None:
    signing.hub.faults.add("POST", "/graphql", kind="applied_then_500")
    promotion = opened(signing)
    assert (promotion.number, promotion.head) == (1, signing.hub.head(signing.repo, promotion.branch))
    assert len(signing.hub.pulls(signing.repo)) == 1
    assert len(signing.hub.log(signing.repo, promotion.branch)) == 2


def test_a_branch_of_that_name_that_is_not_ours_is_left_alone(world: StageWorld) -> None:
    branch = world.promotion().branch
    mine = world.hub.push(world.repo, branch, {"README.md": b"mine\n"}, message="mine", author="ana")
    with pytest.raises(Refused, match="not the bot's"):
        apply(world.tools(), world.opening())
    assert world.hub.head(world.repo, branch) == mine
    assert world.hub.pulls(world.repo) == []


def test_a_value_that_changed_meanwhile_is_not_overwritten(world: StageWorld) -> None:
    promotion = world.promotion(old="0.9.0")
    with pytest.raises(Exception, match=r"0\.9\.0"):
        apply(world.tools(), world.opening(promotion))
    assert world.hub.list_branches(world.repo) == ["main"]


def test_a_lost_answer_to_the_opening_is_found(world: StageWorld) -> None:
    world.hub.faults.add("POST", "/repos/*/*/pulls", kind="applied_then_500")
    promotion = opened(world)
    assert promotion.number == 1
    assert len(world.hub.pulls(world.repo)) == 1


def test_labels_that_are_forbidden_hold_nothing_up(world: StageWorld) -> None:
    world.hub.faults.add("POST", "/repos/*/*/issues/*/labels", kind="status:403", times=None)
    assert opened(world).state is PromotionState.OPEN


def test_merging_notes_commit_and_time(world: StageWorld) -> None:
    promotion = merged(world)
    assert promotion.state is PromotionState.MERGED
    assert promotion.merge_commit == world.hub.head(world.repo, "main")
    assert promotion.rollout_since == promotion.merged_at is not None
    assert promotion.merged_by == "promoter[bot]"
    assert world.text() == manifest("1.1.0")


@pytest.mark.parametrize("fault", ["applied_then_500", "applied_then_reset", "applied_then:502"])
def test_a_lost_answer_to_a_merge_is_looked_for_and_not_repeated(world: StageWorld, fault: str) -> None:
    promotion = opened(world)
    world.hub.faults.add("PUT", "/repos/*/*/pulls/*/merge", kind=fault)
    apply(world.tools(), world.merging(promotion))
    assert world.only().merge_commit == world.hub.head(world.repo, "main")
    merges = [entry for entry in world.hub.ledger.rest if entry.operation.endswith("/merge")]
    assert len(merges) == 1
    assert world.subjects().count("promote(qa): payments (#1)") == 1


def test_a_moved_head_is_not_merged(world: StageWorld) -> None:
    promotion = opened(world)
    action = world.merging(promotion)
    world.hub.push(world.repo, promotion.branch, {"README.md": b"evil\n"}, message="evil", author="ana")
    with pytest.raises(Stale):
        apply(world.tools(), action)
    assert world.text() == manifest("1.0.0")


def test_a_moved_base_is_not_merged_onto(world: StageWorld) -> None:
    promotion = opened(world)
    action = world.merging(promotion)
    world.hub.push(world.repo, "main", {"README.md": b"other\n"}, message="other", author="ana")
    with pytest.raises(Stale):
        apply(world.tools(), action)
    assert world.text() == manifest("1.0.0")


def test_a_revert_restores_the_bytes_and_leaves_later_changes(world: StageWorld) -> None:
    promotion = world.failed(merged(world))
    world.hub.push(world.repo, "main", {"README.md": b"later\n"}, message="later", author="ana")
    apply(world.tools(), world.reverting(promotion))
    assert world.text() == manifest("1.0.0")
    assert world.hub.read_file(world.repo, "main", "README.md") == b"later\n"
    found = world.only()
    assert (found.state, found.revert_commit) == (PromotionState.REVERTING, world.hub.head(world.repo, "main"))


def test_a_revert_is_not_forced_over_somebodys_value(world: StageWorld) -> None:
    promotion = world.failed(merged(world))
    world.hub.push(world.repo, "main", {"payments/deployment.yaml": manifest("1.1.1").encode()}, message="hotfix", author="ana")
    apply(world.tools(), world.reverting(promotion))
    assert world.text() == manifest("1.1.1")
    found = world.only()
    assert found.state is PromotionState.STUCK
    assert "1.1.1" in found.reason
    assert [notice.severity for notice in world.outbox.due(now=world.clock())] == [Severity.CRITICAL]


def test_values_that_stand_restored_already_are_adopted(world: StageWorld) -> None:
    promotion = world.failed(merged(world))
    by_hand = world.hub.push(world.repo, "main", {"payments/deployment.yaml": manifest("1.0.0").encode()}, message="undo", author="ana")
    apply(world.tools(), world.reverting(promotion))
    assert world.only().revert_commit == by_hand == world.hub.head(world.repo, "main")


def test_a_revert_by_pull_request_is_merged_at_once(world: StageWorld) -> None:
    promotion = world.failed(merged(world))
    apply(world.tools(), world.reverting(promotion, as_pull_request=True))
    assert world.text() == manifest("1.0.0")
    found = world.only()
    assert (found.state, found.revert_number) == (PromotionState.REVERTING, 2)
    assert found.revert_commit == world.hub.head(world.repo, "main")


def test_a_branch_that_nobody_may_push_to_is_reverted_by_pull_request(world: StageWorld) -> None:
    promotion = world.failed(merged(world))
    world.hub.protect(world.repo, "main", reviews=1)
    apply(world.tools(), world.reverting(promotion))
    waiting = world.only()
    assert (waiting.state, waiting.revert_number, waiting.revert_commit) == (PromotionState.REVERTING, 2, None)
    assert world.text() == manifest("1.1.0")
    world.hub.approve(world.repo, 2, "ana")
    settle(world.tools())
    assert world.text() == manifest("1.0.0")
    assert world.only().revert_commit == world.hub.head(world.repo, "main")


def test_nothing_is_reverted_without_knowing_what_was_replaced(world: StageWorld) -> None:
    promotion = world.failed(merged(world))
    apply(world.tools(), replace(world.reverting(promotion), edits=()))
    assert world.only().state is PromotionState.STUCK


def renewal(world: StageWorld, old: Promotion, new: str = "1.2.0") -> UpdatePromotion:
    fresh = replace(world.promotion(new), number=old.number, url=old.url, head=old.head)
    return UpdatePromotion(
        promotion=fresh, replaces=old.id, expected_head=old.head, title="promote 1.2.0", body="body 1.2.0", message="promote 1.2.0\n"
    )


def test_newer_content_goes_into_the_same_pull_request_on_a_fresh_base(world: StageWorld) -> None:
    old = opened(world)
    moved = world.hub.push(world.repo, "main", {"README.md": b"moved\n"}, message="moved", author="ana")
    apply(world.tools(), renewal(world, old))
    over, fresh = world.rows()
    assert (over.id, over.state) == (old.id, PromotionState.SUPERSEDED)
    assert (fresh.state, fresh.number, fresh.base) == (PromotionState.OPEN, 1, moved)
    assert world.hub.head(world.repo, fresh.branch) == fresh.head
    assert world.text(fresh.branch) == manifest("1.2.0")
    assert [(pull.number, pull.title) for pull in world.hub.pulls(world.repo)] == [(1, "promote 1.2.0")]


def test_a_branch_that_a_person_pushed_to_is_not_replaced(world: StageWorld) -> None:
    old = opened(world)
    action = renewal(world, old)
    theirs = world.hub.push(world.repo, old.branch, {"README.md": b"mine\n"}, message="mine", author="ana")
    with pytest.raises(Stale):
        apply(world.tools(), action)
    assert world.hub.head(world.repo, old.branch) == theirs


def test_closing_says_why_and_deletes_the_branch(world: StageWorld) -> None:
    promotion = opened(world)
    apply(world.tools(), ClosePromotion(promotion=promotion, reason="reverted upstream"))
    pull = world.hub.pull(world.repo, 1)
    assert pull.state == "closed"
    assert "main" in world.hub.list_branches(world.repo)
    assert promotion.branch not in world.hub.list_branches(world.repo)
    assert (world.only().state, world.only().reason) == (PromotionState.CLOSED, "reverted upstream")


def test_why_it_was_closed_mentions_nobody(world: StageWorld) -> None:
    promotion = opened(world)
    apply(world.tools(), ClosePromotion(promotion=promotion, reason="@ana closed this promotion by order: <b>@acme/all</b>."))
    [told] = [comment.body for comment in world.hub.pull(world.repo, 1).comments]
    assert "@ana" not in told
    assert "@acme" not in told
    assert "<b>" not in told


def test_what_was_merged_unheard_of_is_not_closed_but_read_again(world: StageWorld) -> None:
    promotion = opened(world)
    world.hub.merge_pr(world.repo, 1, "ana")
    with pytest.raises(Stale, match="merged"):
        apply(world.tools(), ClosePromotion(promotion=promotion, reason="qa has it already"))
    assert world.only().state is PromotionState.OPEN
    assert world.hub.pull(world.repo, 1).comments == []
    assert list(world.history.stale_pulls(world.repo)) == [1]


def test_what_was_merged_unheard_of_is_not_renewed_but_read_again(world: StageWorld) -> None:
    old = opened(world)
    world.hub.merge_pr(world.repo, 1, "ana")
    fresh = replace(world.promotion("1.2.0", old="1.1.0"), number=1, url=old.url, head=old.head)
    with pytest.raises(Stale, match="merged"):
        apply(world.tools(), replace(renewal(world, old), promotion=fresh))
    assert [row.state for row in world.rows()] == [PromotionState.OPEN]
    assert (world.hub.head(world.repo, old.branch), world.hub.pull(world.repo, 1).title) == (old.head, "promote(qa): payments")
    assert list(world.history.stale_pulls(world.repo)) == [1]


def shown(promotion: Promotion, text: str = "waits for soak", conclusion: str = "") -> Show:
    return Show(
        promotion=promotion, comment=text, check_title="soak", check_summary=text, conclusion=conclusion, labels=("promotion:waiting",)
    )


def writes(world: StageWorld) -> int:
    return sum(entry.kind in ("rest", "graphql") for entry in world.hub.ledger.entries)


def test_a_face_that_has_not_changed_costs_nothing(world: StageWorld) -> None:
    promotion = opened(world)
    apply(world.tools(), shown(promotion))
    before = writes(world)
    apply(world.tools(), shown(promotion))
    assert writes(world) == before


def test_what_goes_to_and_fro_is_shown_thirty_times_an_hour_and_told_of_once(world: StageWorld) -> None:
    promotion = opened(world)
    apply(world.tools(), shown(promotion))
    before = writes(world)
    for _ in range(2):
        for turn in range(40):
            again = apply(world.tools(), shown(promotion, f"measured {turn % 2}", ("failure", "")[turn % 2]))
        assert writes(world) == before + 29
    assert again is not None
    assert timedelta(minutes=59) < again - world.clock() <= timedelta(hours=1)
    assert world.outbox.counts() == {"sent": 1}
    apply(world.tools(), shown(replace(promotion, state=PromotionState.MERGED), "merged", "success"))
    assert writes(world) == before + 30, "what it came to is always shown"
    world.clock.shift += timedelta(hours=1)
    assert apply(world.tools(), shown(promotion, "measured again")) is None
    assert writes(world) > before + 30


def test_once_an_end_was_shown_it_is_known(world: StageWorld) -> None:
    done = replace(merged(world), state=PromotionState.HEALTHY, ended_at=world.clock())
    world.history.save_promotion(done, why="healthy", actor="promotion-bot", now=world.clock())
    since = world.clock() - timedelta(hours=1)
    assert world.history.unshown("qa", since=since) == {done.id}
    apply(world.tools(), shown(done, "healthy", "success"))
    assert world.history.unshown("qa", since=since) == frozenset()


def test_words_alone_wait_ever_longer_and_a_new_answer_of_a_gate_is_shown_soon(world: StageWorld) -> None:
    promotion = opened(world)
    apply(world.tools(), shown(promotion, "measured 1"))
    for number, minutes in enumerate((1, 2, 4, 8, 10, 10), start=2):
        before, words = writes(world), shown(promotion, f"measured {number}")
        again = apply(world.tools(), words)
        assert writes(world) == before
        assert again is not None
        assert timedelta(minutes=minutes, seconds=-5) < again - world.clock() <= timedelta(minutes=minutes)
        world.clock.shift += timedelta(minutes=minutes)
        assert apply(world.tools(), words) is None
        assert writes(world) == before + 1
    before = writes(world)
    world.clock.shift += timedelta(seconds=15)
    apply(world.tools(), replace(shown(promotion, "measured 8"), steps=("metric: passed",)))
    assert writes(world) == before + 1
    assert apply(world.tools(), replace(shown(promotion, "measured 9"), steps=("metric: passed",))) is not None
    world.clock.shift += timedelta(minutes=1)
    apply(world.tools(), replace(shown(promotion, "measured 9"), steps=("metric: passed",)))
    assert writes(world) == before + 2
    apply(world.tools(), shown(promotion, "all passed", "success"))
    assert writes(world) == before + 3


def test_a_gate_that_flaps_edits_every_fifteen_seconds_at_most(world: StageWorld) -> None:
    promotion = opened(world)
    before = writes(world)
    for second in range(60):
        answer = ("failed", "passed")[second % 2]
        again = apply(world.tools(), replace(shown(promotion, answer), steps=(f"health: {answer}",)))
        assert again is None or timedelta() < again - world.clock() <= timedelta(seconds=15)
        world.clock.shift += timedelta(seconds=1)
    assert 4 <= writes(world) - before <= 5


class DeafChat:
    """A chat that is down, until it is not."""

    def __init__(self) -> None:
        self.down = True
        self.posted: list[str] = []

    def post(self, *, key: str, **_other: object) -> str:
        if self.down:
            raise TransientError("the chat does not answer")
        self.posted.append(key)
        return "ref"


def test_a_chat_that_is_down_gets_the_message_later_and_once(world: StageWorld) -> None:
    from bot.reconcile.telling import post

    chat = DeafChat()
    notice = Notify(key="k", thread="t", severity=Severity.CRITICAL, stage="qa", text="failed", fields={})
    apply(world.tools(chat=chat), notice)
    assert chat.posted == []
    assert list(world.outbox.due(now=world.clock())) == []
    world.clock.shift = timedelta(minutes=1)
    chat.down = False
    for due in world.outbox.due(now=world.clock()):
        post(world.tools(chat=chat), due)
    apply(world.tools(chat=chat), notice)
    assert chat.posted == ["k"]
    assert list(world.outbox.due(now=world.clock() + timedelta(days=1))) == []


def test_a_record_that_moved_on_is_not_overwritten(world: StageWorld) -> None:
    promotion = opened(world)
    apply(world.tools(), SavePromotion(promotion=replace(promotion, reason="x"), why="x"))
    with pytest.raises(Stale):
        apply(world.tools(), SavePromotion(promotion=replace(promotion, reason="y"), why="y"))
