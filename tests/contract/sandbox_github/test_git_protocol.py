"""git's own protocol: tokens, rights, partial clones, pushes and what follows from them."""

from pathlib import Path

import pytest

from bot.sandbox.github.githttp import github_words, packet_line, packets
from tests.contract.sandbox_github.conftest import REPO, Forge, git


def address(forge: Forge, who: str | None) -> str:
    url = forge.box.clone_url(REPO)
    return url if who is None else url.replace("http://", f"http://x-access-token:{forge.tokens[who]}@")


@pytest.fixture
def clone(forge: Forge, tmp_path: Path) -> Path:
    """A clone of acme/dev as ann."""
    place = tmp_path / "clone"
    assert git("clone", "-q", address(forge, "ann"), str(place)).returncode == 0
    return place


def commit(clone: Path, tag: str) -> str:
    (clone / "apps/web/values.yaml").write_text(f"image:\n  tag: {tag} # web\nreplicas: 2\n")
    git("commit", "-qam", f"web {tag}", cwd=clone)
    return git("rev-parse", "HEAD", cwd=clone).stdout.strip()


@pytest.mark.parametrize("who", ["ann", "rea", "bot"])
def test_whoever_may_read_may_clone(forge: Forge, tmp_path: Path, who: str) -> None:
    assert git("clone", "-q", address(forge, who), str(tmp_path / "c")).returncode == 0
    assert (tmp_path / "c/README.md").read_text() == "dev\n"


def test_nobody_and_strangers_may_not(forge: Forge, tmp_path: Path) -> None:
    assert "could not read Username" in git("clone", "-q", address(forge, None), str(tmp_path / "a")).stderr
    assert "not found" in git("clone", "-q", address(forge, "out"), str(tmp_path / "b")).stderr
    forge.tokens["bad"] = "ghp_wrong"
    assert "Authentication failed" in git("clone", "-q", address(forge, "bad"), str(tmp_path / "c")).stderr
    assert {(entry.caller, entry.status) for entry in forge.box.ledger.git} == {("anonymous", 401), ("out", 404), ("rejected", 401)}


def test_a_partial_and_shallow_clone(forge: Forge, tmp_path: Path) -> None:
    forge.box.push(REPO, "main", {"README.md": "two\n"}, message="two", author="ann")
    done = git("clone", "-q", "--bare", "--filter=blob:none", "--depth=1", address(forge, "bot"), str(tmp_path / "c"))
    assert (done.returncode, done.stderr) == (0, "")
    assert git("rev-list", "--all", "--count", cwd=tmp_path / "c").stdout == "1\n"


def test_a_push_becomes_one_event_per_ref(forge: Forge, clone: Path) -> None:
    base = forge.box.head(REPO)
    head = commit(clone, "1.1.0")
    assert git("push", "-q", "origin", "HEAD:promote/a", "HEAD:promote/b", cwd=clone).returncode == 0
    forge.arrived()
    pushes = [item.body for item in forge.sink.received if item.event == "push"][-2:]
    assert [push["ref"] for push in pushes] == ["refs/heads/promote/a", "refs/heads/promote/b"]
    assert (pushes[0]["before"], pushes[0]["after"], pushes[0]["created"]) == ("0" * 40, head, True)
    assert pushes[0]["commits"][0]["modified"] == ["apps/web/values.yaml"]
    assert pushes[0]["pusher"]["name"] == "ann"
    assert pushes[0]["repository"]["id"] == forge.box.repository(REPO).id
    assert forge.box.head(REPO) == base


def test_force_with_lease(forge: Forge, clone: Path) -> None:
    first = commit(clone, "1.1.0")
    git("push", "-q", "origin", "HEAD:promote/a", cwd=clone)
    forge.branch("promote/a", "6.6.6", author="ben")
    git("reset", "-q", "--hard", "HEAD~1", cwd=clone)
    commit(clone, "1.2.0")
    stale = git("push", "--porcelain", f"--force-with-lease=promote/a:{first}", "origin", "HEAD:promote/a", cwd=clone)
    assert "[rejected] (stale info)" in stale.stdout
    now = forge.box.head(REPO, "promote/a")
    assert git("push", "-q", f"--force-with-lease=promote/a:{now}", "origin", "HEAD:promote/a", cwd=clone).returncode == 0
    forge.arrived()
    assert [item.body["forced"] for item in forge.sink.received if item.event == "push"][-1] is True


def test_readers_may_not_push(forge: Forge, clone: Path) -> None:
    commit(clone, "1.1.0")
    done = git("push", address(forge, "rea"), "HEAD:x", cwd=clone)
    assert "Permission to acme/dev.git denied to rea." in done.stderr
    assert forge.box.list_branches(REPO) == ["main"]


def test_a_protected_branch_refuses_and_its_neighbours_do_not(forge: Forge, clone: Path) -> None:
    forge.box.protect(REPO, "main", reviews=1)
    head = commit(clone, "1.1.0")
    done = git("push", "--porcelain", "origin", "HEAD:main", "HEAD:promote/x", cwd=clone)
    assert done.returncode == 1
    assert "error: GH006: Protected branch update failed for refs/heads/main." in done.stderr
    assert "error: Changes must be made through a pull request." in done.stderr
    assert "HEAD:refs/heads/main\t[remote rejected] (protected branch hook declined)" in done.stdout
    assert forge.box.head(REPO, "promote/x") == head
    assert forge.box.head(REPO) != head


def test_who_may_bypass_pushes(forge: Forge, clone: Path) -> None:
    forge.box.protect(REPO, "main", reviews=1, bypass=("Ann",))
    head = commit(clone, "1.1.0")
    assert git("push", "-q", "origin", "HEAD:main", cwd=clone).returncode == 0
    assert forge.box.head(REPO) == head


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({}, "Cannot force-push to this branch"),
        ({"signatures": True, "allow_force": True}, "Commits must have verified signatures."),
        ({"checks": ("ci",), "allow_force": True}, 'Required status check "ci" is expected.'),
    ],
)
def test_each_rule_speaks_for_itself(forge: Forge, clone: Path, rules: dict[str, object], said: str) -> None:
    forge.box.protect(REPO, "main", **rules)
    git("commit", "-q", "--amend", "-m", "rewritten", cwd=clone)
    done = git("push", "--force", "origin", "HEAD:main", cwd=clone)
    assert f"error: {said}" in done.stderr
    assert forge.box.log(REPO)[0].message == "Initial commit"


def test_a_green_commit_may_be_pushed_to_a_branch_with_required_checks(forge: Forge, clone: Path) -> None:
    forge.box.protect(REPO, "main", checks=("ci",))
    head = commit(clone, "1.1.0")
    git("push", "-q", "origin", "HEAD:x", cwd=clone)
    forge.box.set_status(REPO, head, "ci", "success")
    assert git("push", "-q", "origin", "HEAD:main", cwd=clone).returncode == 0


def test_a_revoked_token_ends_the_access(forge: Forge, clone: Path) -> None:
    assert forge.box.revoke_tokens("ann") == 1
    assert "Authentication failed" in git("fetch", cwd=clone).stderr


def test_a_large_push_and_odd_names(forge: Forge, clone: Path) -> None:
    """More than the 1 MiB after which git sends its pack in chunks; names with spaces, quotes and umlauts."""
    for number in range(40):
        (clone / f'file {number} ä "q".bin').write_bytes(bytes((number * 7 + place * place) % 251 for place in range(60_000)))
    git("add", "-A", cwd=clone)
    git("commit", "-qm", "much", cwd=clone)
    git("config", "http.postBuffer", "65536", cwd=clone)
    done = git("push", "-q", "origin", "HEAD:big", cwd=clone)
    assert done.returncode == 0, done.stderr
    assert len(forge.box.read_file(REPO, "big", 'file 39 ä "q".bin') or b"") == 60_000


def test_many_branches_in_one_push(forge: Forge, clone: Path) -> None:
    commit(clone, "1.1.0")
    done = git("push", "-q", "--atomic", "origin", *[f"HEAD:promote/dev/s{number}" for number in range(50)], cwd=clone)
    assert done.returncode == 0, done.stderr
    assert len(forge.box.list_branches(REPO)) == 51
    assert [entry.operation for entry in forge.box.ledger.git][-1] == "git-receive-pack"


def test_the_reworded_report_keeps_every_other_byte() -> None:
    report = b"".join(packet_line(line) for line in (b"unpack ok\n", b"ng refs/heads/main hook declined\n", b"ok refs/heads/x\n")) + b"0000"
    body = packet_line(b"\x02error: no\n") + packet_line(b"\x01" + report) + b"0000"
    changed = packets(github_words(body))
    assert changed[0] == b"\x02error: no\n"
    assert packets(changed[1][1:]) == [b"unpack ok\n", b"ng refs/heads/main protected branch hook declined\n", b"ok refs/heads/x\n"]
