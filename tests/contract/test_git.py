"""`Repositories` on real bare repositories: what is read, how clones live, and which names and addresses git is never given."""

import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.git import GitRepositories
from bot.adapters.git_remote import Remote
from bot.domain.errors import OutcomeUnknown, Stale, TransientError, UserError
from tests.contract.git_world import NAME, World, git

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_reads_branches_trees_and_files(world: World) -> None:
    first = world.person({"prod/a.yaml": "tag: 1\n", "prod/sub/b.yaml": "é\n", "production/c.yaml": "no\n", "dev/a.yaml": "x"})
    bot = world.bot()
    assert bot.refresh(NAME) == {"main": first}
    assert world.requests == [(NAME, "fetch")]
    assert {entry.path: entry.size for entry in bot.tree(NAME, first, "prod")} == {"prod/a.yaml": 7, "prod/sub/b.yaml": 3}
    assert len(bot.tree(NAME, first)) == 4
    assert bot.tree(NAME, first, "nowhere") == []
    assert bot.read(NAME, first, "prod/a.yaml") == b"tag: 1\n"
    assert bot.read(NAME, first, "prod/none.yaml") is None
    assert bot.read(NAME, first, "prod") is None
    assert bot.read(NAME, first, "prod/a.yaml/deeper") is None
    ids = [entry.blob for entry in bot.tree(NAME, first)]
    assert sorted(bot.blobs(NAME, [*ids, *ids]).values()) == sorted([b"tag: 1\n", "é\n".encode(), b"no\n", b"x"])
    assert bot.blobs(NAME, []) == {}
    assert world.requests == [(NAME, "fetch")], "reading asks nobody"


def test_refresh_sees_new_moved_and_deleted_branches(world: World) -> None:
    first = world.person({"a": "1"})
    bot = world.bot()
    bot.refresh(NAME)
    second = world.person({"a": "2"})
    other = world.person({"a": "3"}, branch="feature/x")
    assert bot.heads(NAME) == {"main": first}, "heads are as of the last fetch"
    assert bot.refresh(NAME) == {"main": second, "feature/x": other}
    git(world.bare, "branch", "-D", "feature/x")
    assert bot.refresh(NAME) == {"main": second}
    assert bot.is_ancestor(NAME, first, second)
    assert bot.is_ancestor(NAME, second, second)
    assert not bot.is_ancestor(NAME, second, first)
    assert bot.changed(NAME, first, second) == ["a"]


def test_a_branch_may_become_a_folder_of_branches(world: World) -> None:
    world.person({"a": "1"}, branch="promote")
    bot = world.bot()
    bot.refresh(NAME)
    git(world.bare, "branch", "-D", "promote")
    git(world.work, "branch", "-m", "promote", "other")
    head = world.person({"a": "2"}, branch="promote/qa")
    assert bot.refresh(NAME) == {"promote/qa": head}


def test_an_empty_repository_has_no_branches(world: World) -> None:
    bot = world.bot()
    assert bot.refresh(NAME) == {}
    assert bot.heads(NAME) == {}


def test_log_tells_who_when_and_what(world: World) -> None:
    first = world.person({"a": "1"}, message="first\n\nwith a body\nof lines")
    second = world.person({"b": "1"}, message="second: ünïcode")
    third = world.person({"a": "2"}, message="third")
    bot = world.bot()
    bot.refresh(NAME)
    log = bot.log(NAME, after=None, until=third)
    assert [(entry.sha, entry.subject) for entry in log] == [(third, "third"), (second, "second: ünïcode"), (first, "first")]
    assert log[2].body == "with a body\nof lines"
    assert log[2].parents == ()
    assert log[1].parents == (first,)
    assert (log[0].author, log[0].email) == ("Ada", "ada@x.io")
    assert log[0].at == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert [entry.sha for entry in bot.log(NAME, after=first, until=third)] == [third, second]
    assert [entry.sha for entry in bot.log(NAME, after=None, until=third, paths=["a"])] == [third, first]
    assert [entry.sha for entry in bot.log(NAME, after=None, until=third, limit=1)] == [third]
    assert bot.log(NAME, after=third, until=third) == []


def test_a_damaged_clone_is_made_anew(world: World) -> None:
    base = world.person({"a": "1", "b": "2"})
    bot = world.bot()
    bot.refresh(NAME)
    clone = world.root / "acme+env.git"
    for damage in (
        lambda: shutil.rmtree(clone / "objects"),
        lambda: (clone / "HEAD").unlink(),
        lambda: (clone / "config").write_text("[["),
        lambda: shutil.rmtree(clone),
        lambda: [file.write_bytes(b"") for file in (clone / "objects").rglob("*") if file.is_file() and not file.chmod(0o644)],
    ):
        damage()
        assert bot.read(NAME, base, "a") == b"1"
        damage()
        assert bot.refresh(NAME) == {"main": base}
        assert bot.read(NAME, base, "b") == b"2"
    (clone / "packed-refs.lock").write_text("")
    (clone / "refs/remotes/origin/main.lock").parent.mkdir(parents=True, exist_ok=True)
    (clone / "refs/remotes/origin/main.lock").write_text("")
    newer = world.person({"a": "3"})
    assert bot.refresh(NAME) == {"main": newer}, "locks left by a killed git do not stop us"


def test_a_clone_of_another_address_is_not_taken_over(world: World, tmp_path: Path) -> None:
    world.person({"a": "1"})
    world.bot().refresh(NAME)
    other = World(tmp_path / "second")
    other.root = world.root
    head = other.person({"a": "other"})
    assert other.bot().heads(NAME) == {"main": head}


def test_a_clone_survives_a_restart_without_asking_the_remote(world: World) -> None:
    base = world.person({"a": "1"})
    world.bot().refresh(NAME)
    world.requests.clear()
    bot = world.bot()
    assert bot.heads(NAME) == {"main": base}
    assert bot.read(NAME, base, "a") == b"1"
    assert world.requests == []


def test_an_interrupted_clone_leaves_nothing(world: World) -> None:
    bot = world.bot()
    shutil.move(world.bare, world.bare.with_suffix(".away"))
    with pytest.raises(UserError) as caught:
        bot.refresh(NAME)
    assert "contents: read" in caught.value.fix
    assert [file.name for file in world.root.iterdir() if not file.name.endswith(".lock")] == []
    shutil.move(world.bare.with_suffix(".away"), world.bare)
    assert bot.refresh(NAME) == {}


def test_an_unknown_commit_is_stale_and_costs_no_clone(world: World) -> None:
    base = world.person({"a": "1"})
    bot = world.bot()
    bot.refresh(NAME)
    gone = "0123456789abcdef0123456789abcdef01234567"
    for ask in (
        lambda: bot.tree(NAME, gone),
        lambda: bot.read(NAME, gone, "a"),
        lambda: bot.log(NAME, after=gone, until=base),
        lambda: bot.changed(NAME, base, gone),
        lambda: bot.is_ancestor(NAME, gone, base),
        lambda: bot.commit(NAME, parent=gone, files={"a": b"2"}, message="m", at=AT),
        lambda: bot.push(NAME, {"x": (None, gone)}),
    ):
        with pytest.raises(Stale):
            ask()
    with pytest.raises(TransientError):
        bot.blobs(NAME, [gone])
    assert world.requests.count((NAME, "fetch")) == 1
    assert world.branches() == {"main": base}


@pytest.mark.parametrize("commit", ["--upload-pack=x", "main", "HEAD", "", "0123", "0" * 39 + "g", "0" * 40 + "\n"])
def test_only_whole_ids_reach_git(world: World, commit: str) -> None:
    world.person({"a": "1"})
    bot = world.bot()
    with pytest.raises(UserError):
        bot.tree(NAME, commit)
    with pytest.raises(UserError):
        bot.push(NAME, {"x": (None, commit or "?")})


@pytest.mark.parametrize(
    "branch", ["", "-x", "a..b", "a b", "a:b", "a^", "a~1", "x" * 300, "a.lock", "a/", "/a", "a\nb", "@", "a@{b", "refs/heads/x", "HEAD"]
)
def test_branch_names_that_git_refuses_are_told(world: World, branch: str) -> None:
    base = world.person({"a": "1"})
    with pytest.raises(UserError):
        world.bot().push(NAME, {branch: (None, base)})


@pytest.mark.parametrize("branch", ["$(touch pwned)", "a;id", "`id`", "a'b\"c", "promote/qa/ä\u202e", "a|b&c"])
def test_odd_branch_names_are_data(world: World, branch: str) -> None:
    branch = branch.replace(" ", "_")
    base = world.person({"a": "1"})
    bot = world.bot()
    bot.refresh(NAME)
    bot.push(NAME, {branch: (None, base)})
    assert world.branches()[branch] == base
    assert bot.refresh(NAME)[branch] == base


@pytest.mark.parametrize("name", ["x", "../x/y", "a/..", "-o/x", "a/b/c", "a b/c", "ext::sh -c id", "a/b\n", "a/."])
def test_repository_names_are_checked(world: World, name: str) -> None:
    with pytest.raises(UserError):
        world.bot().refresh(name)
    assert world.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c id",
        "file:///etc",
        "http://169.254.169.254/x",
        "ssh://h/x",
        "https://u:pw@h/x",
        "http://example.com/a/b.git",
        "git://h/x",
    ],
)
def test_other_transports_are_refused(tmp_path: Path, url: str) -> None:
    bot = GitRepositories(tmp_path, Remote(url=lambda name: url, protocols=frozenset({"https", "http"})))
    with pytest.raises(UserError) as caught:
        bot.refresh(NAME)
    assert "pw" not in f"{caught.value} {caught.value.where}"


def test_an_unreachable_host_is_transient(tmp_path: Path) -> None:
    remote = Remote(url=lambda name: "http://127.0.0.1:9/x/y.git", protocols=frozenset({"http"}))
    with pytest.raises(TransientError) as caught:
        GitRepositories(tmp_path, remote).refresh(NAME)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert "127.0.0.1" in str(caught.value)


def test_waiting_callers_share_a_fetch(world: World) -> None:
    head = world.person({"a": "1"})
    bot = world.bot()
    bot.refresh(NAME)
    world.requests.clear()
    seen: list[dict[str, str]] = []
    threads = [threading.Thread(target=lambda: seen.append(dict(bot.refresh(NAME)))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [{"main": head}] * 16
    assert 1 <= len(world.requests) <= 6


def test_two_processes_worth_of_bots_share_one_folder(world: World) -> None:
    base = world.person({"a": "1"})
    bots = [world.bot() for _ in range(4)]
    threads = [threading.Thread(target=bot.refresh, args=(NAME,)) for bot in bots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [bot.heads(NAME) for bot in bots] == [{"main": base}] * 4


def test_a_data_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UserError) as caught:
        GitRepositories(file / "clones", Remote(url=lambda name: "https://h/x")).refresh(NAME)
    assert caught.value.code == "DataFolder"
