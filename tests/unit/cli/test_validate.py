"""validate and schema on the command line."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from bot.cli.main import load_commands
from bot.messages.cloudevents import VERSIONS

ROOT = Path(__file__).parents[3]
RUN = CliRunner()
APP = load_commands()
NO_CLUSTER = "version: 1\npipeline: {stages: {dev: {repository: a/dev}, qa: {repository: a/qa, after: dev}}}\n"


def test_a_good_file(tmp_path: Path) -> None:
    done = RUN.invoke(APP, ["validate", str(ROOT / "config.example.yaml")])
    assert (done.exit_code, done.stdout.endswith("config.example.yaml: valid\n")) == (0, True)


def test_all_errors_on_stderr_and_exit_2(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("version: 2\nnope: 1\n")
    done = RUN.invoke(APP, ["validate", str(file)])
    assert done.exit_code == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{file}:1:1", f"{file}:1:10", f"{file}:2:1", str(file)]
    assert lines[-1] == f"{file}: 3 errors"


@pytest.mark.parametrize(("strict", "code"), [([], 0), (["--strict"], 2)])
def test_warnings_count_only_when_strict(tmp_path: Path, strict: list[str], code: int) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(NO_CLUSTER)
    done = RUN.invoke(APP, ["validate", str(file), *strict])
    assert done.exit_code == code
    assert "warning: The stage 'dev' has no cluster" in done.stderr


def test_json_is_all_there_is_on_stdout(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(NO_CLUSTER + "nope: 1\n")
    done = RUN.invoke(APP, ["validate", str(file), "--output", "json"])
    assert done.exit_code == 2
    answer = json.loads(done.stdout)
    assert (answer["ok"], answer["stages"]) == (False, [])
    assert [(problem["line"], problem["severity"]) for problem in answer["problems"]] == [(2, "warning"), (3, "error")]
    assert answer["problems"][1] == {
        "file": str(file), "line": 3, "column": 1, "severity": "error", "what": "Unknown key 'nope'", "fix": answer["problems"][1]["fix"],
    }  # fmt: skip


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = RUN.invoke(APP, ["validate", str(tmp_path / "none.yaml")])
    assert done.exit_code == 2
    assert "The file cannot be read: No such file" in done.stderr


def test_schema_prints_a_schema() -> None:
    done = RUN.invoke(APP, ["schema"])
    assert done.exit_code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


@pytest.mark.parametrize("name", sorted(VERSIONS))
def test_schema_prints_that_of_an_event_which_stands_alone(name: str) -> None:
    done = RUN.invoke(APP, ["schema", "--event", name])
    assert done.exit_code == 0
    printed = json.loads(done.stdout)
    validator = jsonschema.Draft202012Validator(printed)
    validator.check_schema(printed)
    kind = f"dev.cdevents.{name}.{VERSIONS[name]}"
    asked = {error.validator for error in validator.iter_errors({"type": kind})}
    assert asked == {"required"}
    assert {error.validator for error in validator.iter_errors({"type": f"{kind}1"})} == {"required", "const"}


def test_schema_names_the_events_where_none_is_of_that_type() -> None:
    command = [sys.executable, "-c", "from bot.cli.main import main; main()", "schema", "--event", "change.closed"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    for name in ("change.closed", *VERSIONS):
        assert name in done.stderr
