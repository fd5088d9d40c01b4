"""`promotion-bot rollout replay`: its output, and how it says no."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.cli.main import load_commands
from tests.support import recordings


def run(*words: str) -> Result:
    return CliRunner().invoke(load_commands(), ["rollout", "replay", *words])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "10b.json"
    path.write_bytes(gzip.decompress((recordings.FOLDER / "10b_ds_bad_image.json.gz").read_bytes()))
    return path


def test_json_is_the_only_thing_on_stdout(file: Path) -> None:
    done = run(str(file), "--image", "registry.example.com/shop/web:1.5.0-pull", "--timeout", "60s", "--bake", "10s", "--output", "json")
    assert done.exit_code == 0
    answer = json.loads(done.stdout)
    assert list(answer) == ["workload", "promotion", "reason", "verdicts"]
    assert (answer["workload"], answer["promotion"]) == ("progressing", "degraded")
    assert [sorted(row) for row in answer["verdicts"]] == [["reason", "state", "t"]]
    assert done.stderr == ""


def test_text_tells_the_same(file: Path) -> None:
    done = run(str(file))
    assert "workload progressing, promotion degraded: the workload is not complete within 1m" in done.stdout


def test_a_packed_recording_is_read_too() -> None:
    done = run(str(recordings.FOLDER / "01b_healthy_update.json.gz"), "--output", "json")
    assert json.loads(done.stdout)["promotion"] == "healthy"


def test_a_target_can_be_chosen() -> None:
    path = str(recordings.FOLDER / "20a_argocd_application_states.json.gz")
    assert json.loads(run(path, "--target", "Application/a07-synced-degraded", "-o", "json").stdout)["workload"] == "degraded"
    assert json.loads(run(path, "--target", "Application/a06-synced-healthy-new", "-o", "json").stdout)["workload"] == "healthy"


@pytest.mark.parametrize(
    ("content", "options", "code", "words"),
    [
        (None, [], 5, "no such file"),
        ("{", [], 2, ":1:2: not JSON"),
        ("[]", [], 2, "is no recording"),
        ('{"entries": 1}', [], 2, "is no recording"),
        ("[" * 100_000, [], 2, "not JSON"),
        ('{"entries": []}', ["--timeout", "soon"], 2, "--timeout 'soon' is no span of time"),
        ('{"entries": []}', ["--bake", "-1s"], 2, "--bake '-1s' is no span of time"),
        ('{"entries": []}', ["--target", "web"], 2, "names no object"),
        ('{"entries": []}', ["--output", "xml"], 2, "--output 'xml' is not known"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_three_lines(
    content: str | None, options: list[str], code: int, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "recording.json"
    if content is not None:
        path.write_text(content)
    done = run(str(path), *options)
    assert done.exit_code == code
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "why", "fix"]
    assert words in lines[0]


def test_a_refusal_is_json_where_json_was_asked_for(tmp_path: Path) -> None:
    done = run(str(tmp_path / "none"), "--output", "json")
    assert json.loads(done.stderr)["exit_code"] == 5


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{"t": 1, "type": "http"}],
        [{"t": "x", "type": "watch_event", "event": {"type": "ADDED", "object": {"kind": "Deployment", "metadata": None}}}],
        [{"t": 1, "type": "http", "request": {"path": "/x/deployments/web"}, "response": {"status": 404}}],
    ],
)
def test_a_recording_without_a_word_about_its_target_is_unknown(entries: list[object], tmp_path: Path) -> None:
    path = tmp_path / "recording.json"
    path.write_text(json.dumps({"namespace": "shop", "target": {"kind": "Deployment", "name": "web"}, "entries": entries}))
    answer = json.loads(run(str(path), "--output", "json").stdout)
    assert (answer["workload"], answer["promotion"]) == ("unknown", "unknown")
