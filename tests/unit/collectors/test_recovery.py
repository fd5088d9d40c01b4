"""What was merged when the database was lost is found again in the branch's log, with the very values that it replaced."""

from collections.abc import Sequence
from datetime import timedelta

from bot.collectors.recovery import lost
from bot.domain.image import Version
from bot.domain.promotion import PromotionState
from bot.messages.pulls import commit_message
from bot.messages.rollouts import revert_message
from bot.planning.plan import plan
from bot.planning.standing import Standing
from bot.ports import CommitInfo
from tests.support.builders import NOW, config, facts, promotion, release, slot, stage, view

FILE = "payments/deployment.yaml"
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: payments}}
spec:
  template:
    spec:
      containers:
      - name: payments
        image: ghcr.io/acme/payments:{version}
"""
BEFORE, MERGE, REVERT = "1" * 40, "2" * 40, "3" * 40


class Repository:
    """One branch of a few commits in memory, behind the `Repositories` port."""

    def __init__(self, *commits: tuple[CommitInfo, str], branches: Sequence[str] = ()) -> None:
        self.commits = commits
        self.branches = branches

    def heads(self, repository):
        return dict.fromkeys(self.branches, "f" * 40)

    def log(self, repository, *, after, until, paths=(), limit=200):
        return [commit for commit, _ in reversed(self.commits)][:limit]

    def changed(self, repository, before, after):
        return [FILE, "README.md"]

    def read(self, repository, commit, path):
        return next((text.encode() for info, text in self.commits if info.sha == commit), None) if path == FILE else b"hello"


def commit(sha, message, at, *parents):
    subject, _, body = message.partition("\n")
    return CommitInfo(sha=sha, parents=parents, author="bot", email="bot@localhost", at=at, subject=subject, body=body)


def history(at, *, reverted=False, one=None, branches=(), again=False):
    one = one or promotion()
    rows = [
        (commit(BEFORE, "Begin", at - timedelta(days=1)), MANIFEST.format(version="1.0.0")),
        (commit(MERGE, commit_message(one).replace("\n", " (#7)\n", 1), at, BEFORE), MANIFEST.format(version="1.1.0")),
    ]
    if reverted:
        rows.append((commit(REVERT, revert_message(one), at + timedelta(minutes=1), MERGE), MANIFEST.format(version="1.0.0")))
    if again:
        rows.append(
            (commit("4" * 40, commit_message(promotion(id="e" * 16)), at + timedelta(hours=1), REVERT), MANIFEST.format(version="1.1.0"))
        )
    return Repository(*rows, branches=branches)


def found(repository, **settings):
    made = config(**settings)
    return lost(made, made.stage("qa"), repository, MERGE, {"payments": view(slot("1.1.0"))}, now=NOW)


def test_a_merged_promotion_is_watched_again_and_can_be_taken_back():
    at = NOW - timedelta(minutes=2)
    [one] = found(history(at))
    assert (one.id, one.state, one.number, one.merge_commit) == (promotion().id, PromotionState.MERGED, 7, MERGE)
    assert (one.merged_at, one.rollout_since) == (at, at)
    [edit] = one.moves[0].edits
    assert (edit.path, edit.old, edit.new) == (FILE, Version(tag="1.0.0"), Version(tag="1.1.0"))


def test_a_revert_under_way_is_watched_to_its_end():
    [one] = found(history(NOW - timedelta(minutes=2), reverted=True))
    assert (one.state, one.revert_commit) == (PromotionState.REVERTING, REVERT)


def test_what_is_long_over_is_left_alone():
    assert found(history(NOW - timedelta(days=1))) == ()


def test_a_persons_commit_is_no_promotion():
    rows = [(commit(BEFORE, "Begin", NOW), "a: 1"), (commit(MERGE, "promote(qa): payments 1 -> 2 (#7)", NOW, BEFORE), "a: 1")]
    assert found(Repository(*rows)) == ()


def test_the_plan_takes_up_what_was_found():
    [one] = found(history(NOW - timedelta(minutes=2)))
    planned = plan(config(), facts(stage("dev", "1.1.0"), stage("qa", "1.1.0"), recovered=(one,)))
    saved = [action.promotion for action in planned.actions if type(action).__name__ == "SavePromotion"]
    assert saved[0] == one


def test_a_batch_is_found_under_its_own_name():
    at = NOW - timedelta(minutes=2)
    team = {"services": {"payments": {"team": "money", "images": ["ghcr.io/acme/payments"]}}}
    assert [one.name for one in found(history(at), qa={"batch": "team"}, **team)] == ["money"]
    assert [one.name for one in found(history(at), qa={"batch": "stage"})] == ["all"]
    assert [one.branch for one in found(history(at), qa={"batch": "team"}, **team)] == ["promote/qa/money"]


def test_a_pull_request_that_still_waits_to_take_it_back_is_found_however_old():
    waits = f"promotion-revert/qa/{promotion().id}"
    [one] = found(history(NOW - timedelta(days=3), branches=[waits, "main", "promotion-revert/prod/x"]))
    assert (one.state, one.failed_at, one.revert_commit) == (PromotionState.FAILED, NOW, None)
    planned = plan(config(qa={"on_failure": "revert-pr"}), facts(stage("dev", "1.1.0"), stage("qa", "1.1.0"), recovered=(one,)))
    [again] = [action for action in planned.actions if type(action).__name__ == "Revert"]
    assert (again.promotion.id, again.as_pull_request) == (one.id, True)


def test_what_was_taken_back_long_ago_does_not_come_again_by_itself():
    [one] = found(history(NOW - timedelta(days=3), reverted=True))
    assert one.state is PromotionState.REVERTED
    seen = facts(stage("dev", "1.1.0"), stage("qa", "1.0.0"), recovered=(one,))
    quarantines = [action.quarantine for action in plan(config(), seen).actions if type(action).__name__ == "SaveQuarantine"]
    assert [(ban.stage, ban.service, ban.release) for ban in quarantines] == [("qa", "payments", release("1.1.0"))]
    assert not any(type(action).__name__ == "OpenPromotion" for action in plan(config(), seen).actions)
    later = facts(stage("dev", "1.1.0"), stage("qa", "1.0.0"), promotions=(one,), quarantines=tuple(quarantines))
    assert plan(config(), later).reports[0].standing is Standing.QUARANTINED


def test_what_was_merged_again_after_it_was_taken_back_is_free():
    assert found(history(NOW - timedelta(days=3), reverted=True, again=True)) == ()
