"""What lies between two versions of a service, out of a real source repository with tags, squash merges, merges and reverts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.git_remote import Remote
from bot.adapters.source_clones import SourceClones
from bot.domain.image import Version
from tests.contract.git_world import World, git

NAME = "acme/env"
WHO = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "a@x.io", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "a@x.io"}


class Source(World):
    """The source repository; commits carry the dates that they are given."""

    def commit(self, message: str, day: int, *more: str) -> str:
        when = f"2026-01-{day:02d}T10:00:00Z"
        git(self.work, "commit", "-q", "--allow-empty", "-m", message, *more, **WHO, GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)
        return git(self.work, "rev-parse", "HEAD")

    def tag(self, name: str) -> None:
        git(self.work, "tag", name)
        git(self.work, "push", "-q", "-f", "--tags", "origin", "main")

    def pull(self, number: int, *days: int) -> list[str]:
        """A pull request of one commit for each day, from the head of main, which stays where it is."""
        git(self.work, "checkout", "-q", "--detach")
        shas = [self.commit(f"work {day}", day) for day in days]
        git(self.work, "push", "-q", "origin", f"HEAD:refs/pull/{number}/head")
        git(self.work, "checkout", "-q", "main")
        return shas


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    found = Source(tmp_path)
    found.commit("begin", 1)
    found.tag("v1.0.0")
    return found


def clones(source: Source, labels: dict[str, str] | None = None) -> SourceClones:
    remote = Remote(url=lambda name: f"file://{source.server}/{name}.git", protocols=frozenset({"file"}))
    made = SourceClones(source.root / "sources", remote, lambda image, version: (labels or {}).get(f"{image}:{version}"))
    made.refresh(NAME)
    return made


def day(number: int) -> datetime:
    return datetime(2026, 1, number, 10, tzinfo=UTC)


def version(tag: str) -> Version:
    return Version(tag=tag)


def test_a_squash_commit_stands_for_the_pull_requests_own_commits(source: Source) -> None:
    own = source.pull(7, 3, 4)
    source.commit("Add search (#7)", 9)
    plain = source.commit("Without a pull request", 10)
    source.tag("v1.1.0")
    found = clones(source).carried(NAME, "app", "", version("1.0.0"), version("1.1.0"))
    assert {one.sha: one.at for one in found.commits} == {own[0]: day(3), own[1]: day(4), plain: day(10)}
    (pull,) = found.prs
    assert (pull.number, pull.merged_at, set(pull.commits)) == (7, day(9), set(own))


def test_a_pull_request_that_is_gone_leaves_its_squash_commit(source: Source) -> None:
    source.pull(7, 3)
    kept, gone = source.commit("Kept (#7)", 8), source.commit("Gone (#8)", 9)
    source.tag("v1.1.0")
    found = clones(source).carried(NAME, "app", "", version("1.0.0"), version("1.1.0"))
    assert gone in {one.sha for one in found.commits}
    assert kept not in {one.sha for one in found.commits}
    assert {pull.number for pull in found.prs} == {7, 8}


def test_a_merged_pull_request_brings_its_commits_and_no_merge(source: Source) -> None:
    (own,) = source.pull(9, 5)
    when = {"GIT_AUTHOR_DATE": "2026-01-06T10:00:00Z", "GIT_COMMITTER_DATE": "2026-01-06T10:00:00Z"}
    git(source.work, "merge", "-q", "--no-ff", "-m", "Merge pull request #9 from acme/x", own, **WHO, **when)
    source.tag("v1.1.0")
    found = clones(source).carried(NAME, "app", "", version("1.0.0"), version("1.1.0"))
    assert [one.sha for one in found.commits] == [own]
    assert [(pull.number, pull.merged_at, pull.commits) for pull in found.prs] == [(9, day(6), (own,))]


@pytest.mark.parametrize("message", [('Revert "Add search (#7)" (#12)',), ("Take it back (#12)", "-m", "Reverts acme/app#7")])
def test_a_revert_names_the_pull_request_that_it_takes_back(source: Source, message: tuple[str, ...]) -> None:
    source.commit(message[0], 9, *message[1:])
    source.tag("v1.1.0")
    assert clones(source).carried(NAME, "app", "", version("1.0.0"), version("1.1.0")).reverts_prs == (7,)


def test_a_version_is_found_by_what_its_image_says_of_itself(source: Source) -> None:
    sha = source.commit("More", 5)
    git(source.work, "push", "-q", "origin", "main")
    made = clones(source, {"ghcr.io/acme/app:nightly": sha})
    assert [one.sha for one in made.carried(NAME, "app", "ghcr.io/acme/app", version("1.0.0"), version("nightly")).commits] == [sha]


def test_what_is_not_found_or_does_not_descend_is_said_and_not_guessed(source: Source) -> None:
    git(source.work, "checkout", "-q", "--orphan", "other")
    source.commit("Another beginning", 2)
    source.tag("v2.0.0")
    made = clones(source)
    assert "no tag or commit for 9.9.9" in made.carried(NAME, "app", "", version("1.0.0"), version("9.9.9")).problem
    assert "does not descend" in made.carried(NAME, "app", "", version("1.0.0"), version("2.0.0")).problem
