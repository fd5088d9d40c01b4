"""Backfill on real git repositories: what a branch's history tells, what it cannot, and going on after a stop."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.adapters.backfilling import Backfill, Place, Saved, read_state, write_state
from bot.cli.main import load_commands
from bot.domain.errors import UserError

APP = load_commands()
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  template:
    spec:
      containers:
        - name: {name}
          image: registry.acme.io/shop/{name}:{version}
"""


class Repository:
    """A real repository; commits are a minute apart from 1 March 2025, 00:00 UTC."""

    def __init__(self, path: Path) -> None:
        self.path, self.minute = path, 0
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, at: str = "") -> str:
        when = at or f"2025-03-01T{self.minute // 60:02d}:{self.minute % 60:02d}:00Z"
        env = {
            "PATH": "/usr/bin:/bin", "HOME": str(self.path), "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when,
            "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@acme.io", "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@acme.io",
        }  # fmt: skip
        done = subprocess.run(["git", "-C", str(self.path), *arguments], env=env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def put(self, message: str, *, at: str = "", **versions: str) -> str:
        """A commit that sets these services' versions."""
        for name, version in versions.items():
            file = self.path / "prod" / f"{name}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(DEPLOYMENT.format(name=name, version=version))
        self.git("add", "-A")
        self.minute += 1
        self.git("commit", "-q", "--allow-empty", "-m", message, at=at)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "env")


def run(repository: Repository, saved: Saved | None = None, **more: Any) -> tuple[list[dict[str, Any]], dict[str, int], Saved]:
    """The events, the notes' counts, and the last state kept."""
    kept: list[str] = []
    job = Backfill(
        places=[Place(stage="prod", path=repository.path, folder="prod")], keep=lambda state: kept.append(json.dumps(state)), **more
    )
    result = job.run(saved or {})
    return result.events, {str(note["code"]): int(str(note["count"])) for note in result.notes}, json.loads(kept[-1])


def facts(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(event["service"], event["version"], event["kind"]) for event in events]


def test_promotions_reverts_and_rollbacks_by_hand(repository: Repository) -> None:
    repository.put("first", api="1.0.0", web="2.0.0")
    repository.put("promote(prod): api 1.0.0 -> 1.1.0\n\nPromotion-Id: abc123\nPromotion-Stage: prod", api="1.1.0")
    repository.put("revert(prod)\n\nReverts-Promotion: abc123", api="1.0.0")
    bad = repository.put("bump", web="2.1.0")
    repository.put(f'Revert "bump"\n\nThis reverts commit {bad}.', web="2.0.0")
    repository.put("again", web="2.1.0")
    repository.put("back by hand", web="2.0.0")
    events, notes, _ = run(repository)
    assert facts(events) == [
        ("api", "1.0.0", "promotion"), ("web", "2.0.0", "promotion"), ("api", "1.1.0", "promotion"), ("api", "1.0.0", "rollback"),
        ("web", "2.1.0", "promotion"), ("web", "2.0.0", "rollback"), ("web", "2.1.0", "promotion"), ("web", "2.0.0", "rollback"),
    ]  # fmt: skip
    assert [event.get("baseline", False) for event in events] == [True, True, *[False] * 6]
    assert [event.get("rolls_back") for event in events] == [None, None, None, events[2]["id"], None, events[4]["id"], None, None]
    assert notes["hand_made"] == 4
    assert ["hand_made" in event["doubts"] for event in events] == [False, False, False, False, True, True, True, True]
    assert events[2]["at"] == "2025-03-01T00:02:00Z"


def test_a_version_seen_before_is_no_rollback_where_nobody_can_tell(repository: Repository) -> None:
    for version in ("blue", "green", "blue"):
        repository.put("x", api=version)
    events, notes, _ = run(repository)
    assert [kind for _, _, kind in facts(events)] == ["promotion"] * 3
    assert notes["unordered"] == 2
    assert ["unordered" in event["doubts"] for event in events] == [False, True, True]


def test_ancestry_of_the_source_tells_more_than_names(repository: Repository, tmp_path: Path) -> None:
    source = Repository(tmp_path / "src")
    shas = [source.put(f"work {number}", at=f"2025-02-0{number}T00:00:00Z") for number in (1, 2, 3)]
    for sha, name in zip(shas, ("blue", "green", "v3"), strict=True):
        source.git("tag", name, sha)
    for version in ("blue", "green", "blue", "3", "gone"):
        repository.put("x", api=version)
    events, notes, _ = run(repository, sources={"api": source.path})
    assert [kind for _, _, kind in facts(events)] == ["promotion", "promotion", "rollback", "promotion", "promotion"]
    assert [[commit["sha"] for commit in event.get("commits", [])] for event in events] == [[], [shas[1]], [], [shas[2], shas[1]], []]
    assert events[1]["commits"][0]["at"] == "2025-02-02T00:00:00Z"
    assert notes["no_source"] == 1


def test_files_that_disagree_are_noted_and_wait(repository: Repository) -> None:
    repository.put("first", api="1.0.0")
    (repository.path / "prod" / "job.yaml").write_text(DEPLOYMENT.format(name="api", version="1.1.0").replace("name: api", "name: job"))
    repository.put("half")
    repository.put("whole", api="1.1.0")
    events, notes, _ = run(repository)
    assert facts(events) == [("api", "1.0.0", "promotion"), ("api", "1.1.0", "promotion")]
    assert notes["ambiguous"] == 1


def test_it_goes_on_where_it_stopped_and_doubles_nothing(repository: Repository) -> None:
    repository.put("first", api="1.0.0")
    repository.put("promote\n\nPromotion-Id: p1", api="1.1.0")
    events, _, state = run(repository)
    assert run(repository, state)[0] == events
    repository.put("revert\n\nReverts-Promotion: p1", api="1.0.0")
    more, _, _ = run(repository, state)
    assert more[:2] == events
    assert more == run(repository)[0]
    assert more[2]["rolls_back"] == events[1]["id"]


def test_a_run_that_is_killed_goes_on_from_its_last_chunk(repository: Repository) -> None:
    for number in range(7):
        repository.put("x", api=f"1.{number}.0")
    kept: list[str] = []

    class Killed(Exception):
        pass

    def keep(state: Saved) -> None:
        kept.append(json.dumps(state))
        if len(kept) == 2:
            raise Killed

    places = [Place(stage="prod", path=repository.path, folder="prod")]
    with pytest.raises(Killed):
        Backfill(places=places, keep=keep, chunk=2).run({})
    assert Backfill(places=places).run(json.loads(kept[-1])).events == run(repository)[0]


def test_rewritten_history_is_read_anew_and_noted(repository: Repository) -> None:
    repository.put("first", api="1.0.0")
    repository.put("second", api="1.1.0")
    _, _, state = run(repository)
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.put("other", api="1.2.0")
    events, notes, _ = run(repository, state)
    assert [version for _, version, _ in facts(events)] == ["1.0.0", "1.2.0"]
    assert notes["rewritten"] == 1


def test_what_is_older_than_asked_is_the_baseline(repository: Repository) -> None:
    repository.put("first", api="1.0.0", web="2.0.0")
    repository.put("second", api="1.1.0")
    repository.put("third", web="2.1.0")
    events, _, _ = run(repository, since=datetime(2025, 3, 1, 0, 3, tzinfo=UTC))
    assert [(*fact, event.get("baseline", False)) for fact, event in zip(facts(events), events, strict=True)] == [
        ("api", "1.1.0", "promotion", True), ("web", "2.0.0", "promotion", True), ("web", "2.1.0", "promotion", False),
    ]  # fmt: skip


def test_merges_count_once_and_clocks_that_run_backwards_keep_the_order(repository: Repository) -> None:
    repository.put("first", api="1.0.0", at="2025-03-01T10:00:00Z")
    repository.git("checkout", "-q", "-b", "promote/prod/api")
    repository.put("on the branch", api="1.1.0", at="2025-03-01T11:00:00Z")
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "promote/prod/api", at="2025-03-01T09:00:00Z")
    events, notes, _ = run(repository)
    assert [event["at"] for event in events] == ["2025-03-01T10:00:00Z", "2025-03-01T10:00:00.000001Z"]
    assert notes["clock_order"] == 1


def test_odd_paths_and_messages(repository: Repository) -> None:
    repository.put("first", api="1.0.0")
    odd = repository.path / "prod" / "a b\n\u00e9" / ("f" * 40)
    odd.mkdir(parents=True)
    (odd / "web.yaml").write_text(DEPLOYMENT.format(name="web", version="3.0.0"))
    repository.put("odd \x01 \x1f message\n\n:100644 100644 x y M\n" + "a" * 40, api="1.1.0")
    assert facts(run(repository)[0])[1:] == [("api", "1.1.0", "promotion"), ("web", "3.0.0", "promotion")]


def test_the_command_writes_a_history_that_the_report_reads(repository: Repository, tmp_path: Path) -> None:
    for number in range(3):
        repository.put("x", api=f"1.{number}.0")
    out = tmp_path / "history.json"
    runner = CliRunner()
    command = ["backfill", "--stage", f"prod={repository.path}@main//prod", "--out", str(out), "--output", "json"]
    first = runner.invoke(APP, command)
    assert (first.exit_code, json.loads(first.stdout)["events"]) == (0, 3)
    assert "3 of 3 commits" in first.stderr
    text = out.read_text()
    assert runner.invoke(APP, command).exit_code == 0
    assert out.read_text() == text
    asked = ["--events", str(out), "--from", "2025-03-01", "--to", "2025-03-02", "--as-of", "2025-03-02T00:00:00Z", "-o", "json"]
    found = json.loads(runner.invoke(APP, ["report", *asked]).stdout)
    assert (found["deployments"], found["lead_time_s"]["n"]) == (3, 0)
    doubts = {row["code"]: row["count"] for row in found["quality"]}
    assert (doubts["commit_time"], doubts["health_unknown"], doubts["hand_made"]) == (3, 3, 2)
    assert "ignored_fields" not in doubts


def test_what_cannot_be_read_is_told(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no git repository"):
        Backfill(places=[Place(stage="prod", path=tmp_path)]).run({})
    repository.put("x", api="1.0.0")
    with pytest.raises(UserError, match="git cannot read nowhere"):
        Backfill(places=[Place(stage="prod", path=repository.path, branch="nowhere")]).run({})
    file = tmp_path / "state"
    file.write_text("{}")
    with pytest.raises(UserError, match="not the state of a backfill"):
        read_state(file)
    write_state(file, {"prod": {"head": "x"}})
    assert read_state(file) == {"prod": {"head": "x"}}


@pytest.mark.parametrize(
    ("more", "out", "told"),
    [
        (["--output", "yaml"], "h.json", "--output 'yaml' is not a format"),
        (["--stage", "prod=elsewhere//prod"], "h.json", "--stage prod is named twice"),
        ([], "no/such/folder/h.json", "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(repository: Repository, tmp_path: Path, more: list[str], out: str, told: str) -> None:
    repository.put("x", api="1.0.0")
    command = ["backfill", "--stage", f"prod={repository.path}@main//prod", "--out", str(tmp_path / out), *more]
    found = CliRunner().invoke(APP, command)
    assert found.exit_code in (1, 2)
    error, why, fix = [line for line in found.stderr.splitlines() if " commits, " not in line]
    assert told in error
    assert why.startswith("why: ")
    assert fix.startswith("fix: ")


def test_a_folder_without_any_version_is_told(repository: Repository) -> None:
    repository.put("x", api="1.0.0")
    result = Backfill(places=[Place(stage="prod", path=repository.path, folder="nowhere")]).run({})
    assert result.events == []
    assert [(note["code"], note["count"]) for note in result.notes] == [("no_version", 1)]
    assert "nowhere" in str(result.notes[0]["sentence"])
