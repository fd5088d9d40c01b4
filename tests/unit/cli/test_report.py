"""`promotion-bot report` as people run it: the answer on stdout, refusals on stderr with what, why and how to mend."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli.main import load_commands
from tests.support.deliveries import deploy, failure

APP = load_commands()
ASKED = ["--from", "2025-03-03", "--to", "2025-03-10", "--tz", "UTC", "--as-of", "2025-03-10T00:00:00Z", "--output", "json"]


def run(file: Path, *options: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(APP, ["report", "--events", str(file), *options], input=stdin)


def written(folder: Path, events: Any, **more: Any) -> Path:
    file = folder / "history.json"
    file.write_text(json.dumps({"events": events} | more))
    return file


def test_prints_one_object_and_nothing_else(tmp_path: Path) -> None:
    events = [deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v2"), deploy("d3", "5 09:00", "v1", kind=None)]
    result = run(written(tmp_path, events, version_order=["v2", "v1"]), *ASKED)
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert (found["deployments"], found["rollbacks"], found["window"]["tz"]) == (3, 0, "UTC")


def test_reads_standard_input(tmp_path: Path) -> None:
    result = run(Path("-"), *ASKED, stdin=json.dumps({"events": [deploy("d1", "3 09:00", "v1")]}).encode())
    assert json.loads(result.stdout)["deployments"] == 1


def test_selects_stage_service_and_team(tmp_path: Path) -> None:
    events = [deploy("d1", "3 09:00", "v1", stage="qa", team="a"), deploy("d2", "3 09:00", "v1", stage="qa", service="web", team="a")]
    file = written(tmp_path, [*events, deploy("d3", "4 09:00", "v1", team="b")])
    counts = [
        json.loads(run(file, *ASKED, *more).stdout)["deployments"]
        for more in ([], ["--stage", "qa"], ["--stage", "qa", "--service", "web"], ["--stage", "qa", "--team", "b"], ["--team", "b"])
    ]
    assert counts == [1, 2, 1, 0, 1]


GOOD = deploy("d1", "3 09:00", "v1")


@pytest.mark.parametrize(
    ("events", "place", "why"),
    [
        ([GOOD, {"t": "incident", "id": "x"}], "event 1, field t", "'incident' is not a kind of event"),
        ([{"id": "x"}], "event 0, field t", "missing"),
        (["d1"], "event 0", "an event is a JSON object"),
        ([GOOD | {"status": "ok"}], "event 0, field status", "success, failed"),
        ([{k: v for k, v in GOOD.items() if k != "status"}], "event 0, field status", "missing"),
        ([GOOD | {"kind": "rollforward"}], "event 0, field kind", "not one of"),
        ([GOOD | {"at": "2025-03-03T09:00:00"}], "event 0, field at", "offset"),
        ([GOOD | {"at": "2025-02-30T09:00:00Z"}], "event 0, field at", "not an instant that exists"),
        ([GOOD | {"at": 1741000000}], "event 0, field at", "RFC 3339"),
        ([GOOD, GOOD | {"commits": [{"sha": "a", "at": "soon"}]}], "event 1, field commits[0].at", "RFC 3339"),
        ([GOOD | {"prs": [{"number": "7"}]}], "event 0, field prs[0]", "whole number"),
        ([GOOD | {"prs": {}}], "event 0, field prs", "list"),
        ([GOOD | {"reverts_prs": [True]}], "event 0, field reverts_prs[0]", "whole number"),
        ([GOOD | {"baseline": "yes"}], "event 0, field baseline", "true or false"),
        ([GOOD | {"version": ""}], "event 0, field version", "not empty"),
        ([{"t": "recovery", "at": "2025-03-03T09:00:00Z"}], "event 0, field failure", "missing"),
        ([failure("f", "3 09:00", None) | {"deploy": 3}], "event 0, field deploy", "int 3"),
        ({"t": "deploy"}, "history.json", "events is a list"),
    ],
)
def test_a_malformed_event_is_named(tmp_path: Path, events: Any, place: str, why: str) -> None:
    result = run(written(tmp_path, events), *ASKED)
    assert (result.exit_code, result.stdout) == (2, "")
    told = json.loads(result.stderr)
    assert place in told["error"]
    assert why in told["why"]
    assert told["fix"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "Expecting value"),
        (b"{\n  \"events\": [\n  {]", "line 3 column 4"),
        (b'{"events": []} x', "Extra data"),
        (b"[]", "one JSON object"),
        (b"{}", 'no "events"'),
        (b"\xff", "invalid start byte"),
        (b'{"events": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"events": [' + b"9" * 5000 + b"]}", "digits"),
        (b'{"events": [], "version_order": ["v1", "v1"]}', "twice"),
        (b'{"events": [], "version_order": "v1"}', "list of versions"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_told(tmp_path: Path, text: bytes, why: str) -> None:
    file = tmp_path / "history.json"
    file.write_bytes(text)
    result = run(file, *ASKED)
    assert (result.exit_code, result.stdout) == (2, "")
    assert why in json.loads(result.stderr)["why"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--from", "2025-03-10", "--to", "2025-03-10"], "holds no day"),
        (["--from", "10.3.2025"], "--from"),
        (["--tz", "Mars/Olympus"], "--tz"),
        (["--tz", "../etc/passwd"], "--tz"),
        (["--as-of", "yesterday"], "--as-of"),
        (["--events", "/nowhere/history.json"], "cannot be read"),
        (["--benchmark", "2024"], "--benchmark"),
    ],
)
def test_a_wrong_option_is_told(tmp_path: Path, options: list[str], word: str) -> None:
    result = run(written(tmp_path, []), *ASKED, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert word in json.loads(result.stderr)["error"]


@pytest.mark.parametrize(
    ("options", "first", "end"),
    [
        ([], "2025-02-12", "2025-03-12"),  # in Berlin it is the 11th already, and the 11th is in it
        (["--from", "2025-03-03"], "2025-03-03", "2025-03-12"),
        (["--to", "2025-03-08"], "2025-02-08", "2025-03-08"),
    ],
)
@pytest.mark.parametrize("command", [["report"], ["explain", "open_failures"]])
def test_without_days_the_four_weeks_that_end_today_are_meant(
    tmp_path: Path, command: list[str], options: list[str], first: str, end: str
) -> None:
    file = written(tmp_path, [deploy("d1", "3 09:00", "v1")])
    seen = ["--events", str(file), "--tz", "Europe/Berlin", "--as-of", "2025-03-10T23:30:00Z", "--output", "json"]
    short = CliRunner().invoke(load_commands(), [*command, *seen, *options])
    whole = CliRunner().invoke(load_commands(), [*command, *seen, "--from", first, "--to", end])
    assert (short.exit_code, short.stdout) == (0, whole.stdout)
    if command == ["report"]:
        window = json.loads(short.stdout)["window"]
        assert (window["from"], window["to"]) == (first, end)


def test_refusals_are_three_lines_for_people(tmp_path: Path) -> None:
    result = run(tmp_path / "none.json", *ASKED[:-1], "table")
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["error", "why", "fix"]
    assert run(written(tmp_path, []), *ASKED[:-1], "xml").stderr.startswith("error: --output 'xml' is not a format")


def test_an_unknown_stage_is_told_in_the_data_quality(tmp_path: Path) -> None:
    found = json.loads(run(written(tmp_path, [deploy("d1", "3 09:00", "v1")]), *ASKED, "--stage", "production").stdout)
    assert [row["sentence"] for row in found["quality"] if row["code"] == "stage_unknown"] == [
        "the history has no rollout in production; it knows prod"
    ]


def test_unknown_fields_are_counted(tmp_path: Path) -> None:
    found = json.loads(run(written(tmp_path, [deploy("d1", "3 09:00", "v1", fixs=["d0"])], note="x"), *ASKED).stdout)
    assert [(row["count"], row["names"]) for row in found["quality"] if row["code"] == "ignored_fields"] == [(2, ["fixs", "note"])]


def test_teams_come_from_the_configuration_where_events_carry_none(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "version: 1\npipeline: {stages: {dev: {repository: a/dev}, prod: {repository: a/prod, after: dev}}}\n"
        "teams: {pay: {}}\nservices: {api: {images: [acme/api], team: pay}}\n"
    )
    file = written(tmp_path, [deploy("d1", "3 09:00", "v1"), deploy("w1", "4 09:00", "v1", service="web")])
    found = json.loads(run(file, *ASKED, "--team", "pay", "--config", str(config)).stdout)
    assert (found["deployments"], [row["names"] for row in found["quality"] if row["code"] == "without_team"]) == (1, [["web"]])
    config.write_text("version: 2\n")
    result = run(file, *ASKED, "--config", str(config))
    assert (result.exit_code, "config.yaml:1:" in json.loads(result.stderr)["error"]) == (2, True)


def test_explain_and_simulate_answer_on_the_command_line(tmp_path: Path) -> None:
    file = written(tmp_path, [deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v2", stage="dev")])
    runner = CliRunner()
    told = runner.invoke(APP, ["explain", "deployment_frequency", "--events", str(file), *ASKED])
    assert json.loads(told.stdout)["counted"][0]["deploy"] == "d1"
    assert "deployment_frequency: 0.14 a day" in runner.invoke(
        APP, ["explain", "deployment_frequency", "--events", str(file), *ASKED[:-1], "text"]
    ).stdout  # fmt: skip
    wrong = runner.invoke(APP, ["explain", "velocity", "--events", str(file), *ASKED])
    assert (wrong.exit_code, "deployment_frequency" in json.loads(wrong.stderr)["fix"]) == (5, True)
    config = tmp_path / "config.yaml"
    config.write_text("version: 1\npipeline: {stages: {dev: {repository: a/dev}, prod: {repository: a/prod, after: dev}}}\n")
    options = ["simulate", "--config", str(config), "--events", str(file), "--since", "20d", "--as-of", "2025-03-10T00:00:00Z"]
    assert json.loads(runner.invoke(APP, [*options, "-o", "json"]).stdout)["promotions"] == 1
    assert "cannot be known:" in runner.invoke(APP, options).stdout
    assert runner.invoke(APP, [*options, "--since", "soon"]).exit_code == 2
    assert runner.invoke(APP, [*options, "--since", "2025-03-11"]).exit_code == 2


def test_every_number_of_the_report_leads_to_its_rows(tmp_path: Path) -> None:
    runner = CliRunner()
    file = written(tmp_path, [deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v2"), deploy("d3", "5 09:00", "v1", kind="rollback")])
    shown = json.loads(runner.invoke(APP, ["report", "--events", str(file), *ASKED]).stdout)
    about = {"definitions", "stage", "service", "team", "window", "as_of", "benchmarks_2025", "quality", "before", "restated"}
    waits = {"blocked_promotions", "waiting_s"}  # rows themselves
    for name in shown.keys() - about - waits:
        told = runner.invoke(APP, ["explain", name, "--events", str(file), *ASKED])
        assert told.exit_code == 0, name
        assert {"rule", "steps", "counted", "left_out"} <= json.loads(told.stdout).keys()
    rolled_back = json.loads(runner.invoke(APP, ["explain", "rollbacks", "--events", str(file), *ASKED]).stdout)
    assert [row["deploy"] for row in rolled_back["counted"] if row["role"] == "rollback"] == ["d3"]
