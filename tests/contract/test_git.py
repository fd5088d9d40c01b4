"""`Repositories` on real bare repositories: what is read, what is written, and what every refusal is called."""

import os
import shutil
import stat
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.git import GitRepositories
from bot.adapters.git_remote import Remote
from bot.domain.errors import OutcomeUnknown, Refused, Stale, TransientError, UserError

NAME = "acme/env"
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CLEAN = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}


def git(directory: Path, *arguments: str, feed: str | None = None, **env: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments], env={**CLEAN, **env}, input=feed, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


class World:
    """A server folder with one bare repository, and a person with a work tree."""

    def __init__(self, root: Path) -> None:
        self.server = root / "server"
        self.bare = self.server / f"{NAME}.git"
        self.bare.mkdir(parents=True)
        git(self.bare, "init", "-q", "--bare", "-b", "main")
        self.work = root / "work"
        self.work.mkdir()
        git(self.work, "init", "-q", "-b", "main")
        git(self.work, "remote", "add", "origin", str(self.bare))
        self.requests: list[tuple[str, str]] = []
        self.root = root / "clones"

    def person(self, files: dict[str, str | None], branch: str = "main", message: str = "change") -> str:
        git(self.work, "checkout", "-q", "-B", branch)
        for path, text in files.items():
            file = self.work / path
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        git(self.work, "add", "-A")
        who = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@x.io", "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+02:00"}
        git(self.work, "commit", "-q", "-m", message, GIT_COMMITTER_NAME="Ada", GIT_COMMITTER_EMAIL="ada@x.io", **who)
        git(self.work, "push", "-q", "-f", "origin", branch)
        return git(self.work, "rev-parse", "HEAD")

    def bot(self, **options: object) -> GitRepositories:
        remote = Remote(
            url=lambda name: f"file://{self.server}/{name}.git",
            protocols=frozenset({"file"}),
            on_request=lambda name, verb: self.requests.append((name, verb)),
            **options,
        )
        return GitRepositories(self.root, remote)

    def branches(self) -> dict[str, str]:
        lines = git(self.bare, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").splitlines()
        return dict(line.split() for line in lines)


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


def test_a_commit_is_its_content(world: World) -> None:
    base = world.person({"a.yaml": "1\n", "dir/b.yaml": "2\n"})
    bot = world.bot()
    bot.refresh(NAME)
    files = {"a.yaml": b"one\r\nno end", "dir/b.yaml": b"\x00\xff", 'dir/new "q" \xe9.yaml': b""}
    made = bot.commit(NAME, parent=base, files=files, message="promote: ünï\n\nbody\n", at=AT)
    assert made == bot.commit(NAME, parent=base, files=dict(reversed(files.items())), message="promote: ünï\n\nbody\n", at=AT)
    assert made != bot.commit(NAME, parent=base, files=files, message="promote: ünï\n\nbody\n", at=AT + timedelta(seconds=1))
    assert {path: bot.read(NAME, made, path) for path in files} == files
    assert sorted(bot.changed(NAME, base, made)) == sorted(files)
    (entry,) = bot.log(NAME, after=base, until=made)
    assert (entry.author, entry.at, entry.subject, entry.body, entry.parents) == (
        "promotion-bot",
        AT,
        "promote: ünï",
        "body",
        (base,),
    )
    left = git(world.root / "acme+env.git", "for-each-ref", "--format=%(refname)", "refs/promotion-bot")
    assert left == "", "no ref is left behind"


def test_a_commit_keeps_the_file_mode(world: World) -> None:
    (world.work / "run.sh").write_text("x")
    (world.work / "run.sh").chmod(0o755)
    base = world.person({"a": "1"})
    bot = world.bot()
    bot.refresh(NAME)
    made = bot.commit(NAME, parent=base, files={"run.sh": b"y"}, message="m", at=AT)
    assert {entry.path: entry.mode for entry in bot.tree(NAME, made)} == {"a": "100644", "run.sh": "100755"}


def test_symbolic_links_are_neither_read_nor_written_through(world: World) -> None:
    (world.work / "secret").symlink_to("/proc/self/environ")
    (world.work / "dir").symlink_to("other")
    base = world.person({"other/x.yaml": "1"})
    bot = world.bot()
    bot.refresh(NAME)
    with pytest.raises(UserError, match="symbolic link"):
        bot.read(NAME, base, "secret")
    for path in ("secret", "dir", "dir/x.yaml"):
        with pytest.raises(UserError, match="symbolic link"):
            bot.commit(NAME, parent=base, files={path: b"2"}, message="m", at=AT)
    with pytest.raises(UserError):
        bot.commit(NAME, parent=base, files={"other": b"2"}, message="m", at=AT)
    with pytest.raises(UserError):
        bot.commit(NAME, parent=base, files={"other/x.yaml/y": b"2"}, message="m", at=AT)
    assert {entry.mode for entry in bot.tree(NAME, base) if entry.path in ("secret", "dir")} == {"120000"}


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".git/config", "a/.GIT/hooks/x", "a\\b", "a\nb", "a\0b", "x" * 5000, "\ud800"],
)
def test_no_commit_outside_of_the_tree(world: World, path: str) -> None:
    base = world.person({"a": "1"})
    bot = world.bot()
    bot.refresh(NAME)
    with pytest.raises(UserError):
        bot.commit(NAME, parent=base, files={path: b"2"}, message="m", at=AT)


def test_push_is_atomic_and_compares(world: World) -> None:
    base = world.person({"a": "1"})
    bot = world.bot()
    bot.refresh(NAME)
    one = bot.commit(NAME, parent=base, files={"a": b"2"}, message="one", at=AT)
    two = bot.commit(NAME, parent=base, files={"a": b"3"}, message="two", at=AT)
    bot.push(NAME, {"promote/qa/a": (None, one), "promote/qa/b": (None, two)})
    assert world.branches() == {"main": base, "promote/qa/a": one, "promote/qa/b": two}
    assert bot.heads(NAME) == world.branches()
    bot.push(NAME, {"promote/qa/a": (None, one)})
    assert world.branches()["promote/qa/a"] == one, "the same push again is no error"
    with pytest.raises(Stale):
        bot.push(NAME, {"promote/qa/a": (None, two), "promote/qa/c": (None, two)})
    with pytest.raises(Stale):
        bot.push(NAME, {"promote/qa/a": (two, base), "promote/qa/c": (None, two)})
    assert "promote/qa/c" not in world.branches(), "all or nothing"
    bot.push(NAME, {"promote/qa/a": (one, two), "promote/qa/b": (two, None)})
    assert world.branches() == {"main": base, "promote/qa/a": two}
    with pytest.raises(Stale):
        bot.push(NAME, {"promote/qa/b": (two, None)})
    bot.push(NAME, {})
    bot.push(NAME, {"x": (one, one)})
    assert world.requests.count((NAME, "push")) == 6


def test_push_never_overwrites_what_a_person_pushed_meanwhile(world: World) -> None:
    base = world.person({"a": "1"})
    bot = world.bot()
    bot.refresh(NAME)
    ours = bot.commit(NAME, parent=base, files={"a": b"2"}, message="revert", at=AT)
    theirs = world.person({"a": "9"})
    with pytest.raises(Stale):
        bot.push(NAME, {"main": (base, ours)})
    assert world.branches() == {"main": theirs}


def hook(world: World, text: str) -> None:
    file = world.bare / "hooks" / "pre-receive"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("error: GH006: Protected branch update failed for refs/heads/main.", "ProtectedBranch"),
        ("error: GH013: Repository rule violations found for refs/heads/main.", "ProtectedBranch"),
        (
            "refusing to allow a GitHub App to update workflow `.github/x` without `workflows` permission",
            "WorkflowsPermission",
        ),
    ],
)
def test_a_rule_of_the_forge_is_refused_with_its_words(world: World, said: str, code: str) -> None:
    base = world.person({"a": "1"})
    bot = world.bot()
    bot.refresh(NAME)
    ours = bot.commit(NAME, parent=base, files={"a": b"2"}, message="m", at=AT)
    hook(world, f"echo '{said}' >&2; exit 1")
    with pytest.raises(Refused) as caught:
        bot.push(NAME, {"main": (base, ours)})
    assert caught.value.code == code
    assert caught.value.fix
    assert world.branches() == {"main": base}


def test_a_push_that_hangs_is_killed_and_its_outcome_unknown(world: World) -> None:
    base = world.person({"a": "1"})
    bot = world.bot(limit=timedelta(seconds=1.5))
    bot.refresh(NAME)
    ours = bot.commit(NAME, parent=base, files={"a": b"2"}, message="m", at=AT)
    hook(world, "sleep 20")
    started = datetime.now(UTC)
    with pytest.raises(OutcomeUnknown):
        bot.push(NAME, {"main": (base, ours)})
    assert datetime.now(UTC) - started < timedelta(seconds=10)


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
