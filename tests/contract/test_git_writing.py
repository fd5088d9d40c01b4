"""`Repositories` on real bare repositories: commits that are their content, pushes that compare, and rules of the forge."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import OutcomeUnknown, Refused, Stale, UserError
from tests.contract.git_world import NAME, World, git

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


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


def test_a_submodule_is_neither_read_nor_written_through(world: World) -> None:
    first = world.person({"a": "1"})
    git(world.work, "update-index", "--add", "--cacheinfo", f"160000,{first},sub")
    tree = git(world.work, "write-tree")
    who = {f"GIT_{role}_{what}": "ada@x.io" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    base = git(world.work, "commit-tree", tree, "-p", first, "-m", "a submodule", **who)
    git(world.work, "push", "-q", "origin", f"{base}:refs/heads/main")
    bot = world.bot()
    bot.refresh(NAME)
    assert {entry.mode for entry in bot.tree(NAME, base) if entry.path == "sub"} <= {"160000"}
    with pytest.raises(UserError):
        bot.read(NAME, base, "sub")
    for path in ("sub", "sub/x.yaml"):
        with pytest.raises(UserError):
            bot.commit(NAME, parent=base, files={path: b"2"}, message="m", at=AT)
