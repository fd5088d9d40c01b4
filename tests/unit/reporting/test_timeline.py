"""The story of one rollout or incident."""

import json
from pathlib import Path

from typer.testing import CliRunner

from bot.cli.main import load_commands
from bot.domain.history_file import read_history
from bot.domain.instants import parse_instant
from bot.reporting.timeline import timeline
from tests.support.deliveries import deploy, failure, recovery

STORY = [
    deploy("q1", "3 12:00", "v2", stage="qa", commits={"a": "3 08:00"}),
    deploy("d1", "3 09:00", "v1"),
    deploy("d2", "4 09:00", "v2", commits={"a": "3 08:00"}) | {"prs": [{"number": 7, "merged_at": "2025-03-03T10:00:00Z"}]},
    failure("f1", "4 09:30", "d2", cause="errors"),
    deploy("d3", "4 10:00", "v1", kind="rollback"),
    recovery("f1", "4 10:05"),
    deploy("w2", "4 09:10", "v2", service="web"),
    failure("f2", "5 09:00", None, service="api", stage="prod", cause="out of paper"),
]


def told(name: str, as_of: str = "2025-03-10T00:00:00Z") -> list[tuple[str, str, str]]:
    events = read_history(json.dumps({"events": [*STORY, *STORY]})).events
    return [(f"{one.at:%d %H:%M}", one.stage, one.what) for one in timeline(events, name, as_of=parse_instant(as_of))]


def test_a_rollout_from_its_commits_to_its_recovery() -> None:
    assert told("d2") == [
        ("03 08:00", "", "a commit was written"),
        ("03 10:00", "", "pull request #7 was merged"),
        ("03 12:00", "qa", "promotion of api v2 became healthy (deployment)"),
        ("04 09:00", "prod", "promotion of api v2 became healthy (deployment)"),
        ("04 09:30", "prod", "a failure began (incident): errors"),
        ("04 10:00", "prod", "api had recovered from the failure of v2"),
        ("04 10:05", "prod", "the failure was over"),
    ]


def test_an_incident_tells_the_story_of_its_rollout() -> None:
    assert told("f1") == told("d2")


def test_an_incident_of_no_rollout_stands_alone() -> None:
    assert told("f2") == [("05 09:00", "prod", "a failure began (incident): out of paper")]


def test_what_is_not_known_yet_is_not_told() -> None:
    assert told("d2", "2025-03-04T09:00:00Z")[-1] == ("04 09:00", "prod", "promotion of api v2 became healthy (deployment)")
    assert told("d2", "2025-03-04T08:59:59Z") == []
    assert told("ghost") == []


def test_the_command(tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    file.write_text(json.dumps({"events": STORY}))
    run, app = CliRunner(), load_commands()
    options = ["--events", str(file), "--as-of", "2025-03-10T00:00:00Z"]
    text = run.invoke(app, ["timeline", "d2", *options, "--tz", "Europe/Berlin"])
    assert text.exit_code == 0
    assert text.stdout.splitlines()[4] == "2025-03-04 10:30:00  prod       a failure began (incident): errors  [f1]"
    rows = json.loads(run.invoke(app, ["timeline", "f1", *options, "-o", "json"]).stdout)
    assert rows[0] == {"at": "2025-03-03T08:00:00Z", "stage": "", "what": "a commit was written", "id": "a"}
    missing = run.invoke(app, ["timeline", "ghost", *options])
    assert missing.exit_code == 5
    assert "fix:" in missing.stderr
