"""What was merged when the database was lost is found again in the branch's log, with the very values that it replaced."""

from datetime import timedelta

from bot.collectors.recovery import lost_in_flight
from bot.domain.image import Version
from bot.domain.promotion import PromotionState
from bot.messages.pulls import commit_message
from bot.messages.rollouts import revert_message
from bot.planning.plan import plan
from bot.ports import CommitInfo
from tests.support.builders import NOW, config, facts, promotion, slot, stage, view

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

    def __init__(self, *commits: tuple[CommitInfo, str]) -> None:
        self.commits = commits

    def log(self, repository, *, after, until, paths=(), limit=200):
        return [commit for commit, _ in reversed(self.commits)][:limit]

    def changed(self, repository, before, after):
        return [FILE, "README.md"]

    def read(self, repository, commit, path):
        return next((text.encode() for info, text in self.commits if info.sha == commit), None) if path == FILE else b"hello"


def commit(sha, message, at, *parents):
    subject, _, body = message.partition("\n")
    return CommitInfo(sha=sha, parents=parents, author="bot", email="bot@localhost", at=at, subject=subject, body=body)


def history(at, *, reverted=False):
    one = promotion()
    rows = [
        (commit(BEFORE, "Begin", at - timedelta(days=1)), MANIFEST.format(version="1.0.0")),
        (commit(MERGE, commit_message(one).replace("\n", " (#7)\n", 1), at, BEFORE), MANIFEST.format(version="1.1.0")),
    ]
    if reverted:
        rows.append((commit(REVERT, revert_message(one), at + timedelta(minutes=1), MERGE), MANIFEST.format(version="1.0.0")))
    return Repository(*rows)


def found(repository):
    return lost_in_flight(config().stage("qa"), repository, MERGE, {"payments": view(slot("1.1.0"))}, now=NOW)


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
