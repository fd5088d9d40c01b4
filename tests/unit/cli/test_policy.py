"""policy test, as it is typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import load_commands
from tests.support.far_side import answer, far_side, saying

HOURS = "now.getHours('Europe/Berlin') < 16"
CASES = """
expression: "!promotion.hotfix || promotion.approvals.size() >= 2"
cases:
  - {name: everyday, expect: passed}
  - {name: a hotfix approved once, promotion: {hotfix: true}, expect: failed}
  - {name: a field that is none, promotion: {hotfix: 7}, expect: unknown}
"""


def run(tmp_path: Path, text: str, *more: str) -> tuple[int, str, str]:
    file = tmp_path / "cases.yaml"
    file.write_text(text)
    result = CliRunner().invoke(load_commands(), ["policy", "test", str(file), *more])
    return result.exit_code, result.stdout, result.stderr


def test_cases_that_come_out_as_expected(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, CASES)
    assert code == 0, out
    assert out.endswith("3 of 3 cases as expected\n")


def test_a_case_that_does_not_is_told(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, CASES.replace("expect: failed", "expect: passed"), "--output", "json")
    found = json.loads(out)
    assert (code, found["ok"]) == (1, False)
    assert [case["ok"] for case in found["cases"]] == [True, False, True]


@pytest.mark.parametrize(("now", "expect"), [("2026-03-04T14:59:00Z", "passed"), ("2026-03-04T15:00:00Z", "failed")])
def test_a_case_has_its_own_time(tmp_path: Path, now: str, expect: str) -> None:
    code, out, _ = run(tmp_path, f"expression: {HOURS}\ncases: [{{now: {now}, expect: {expect}}}]")
    assert code == 0, out


def test_a_rule_is_asked_of_opa(tmp_path: Path) -> None:
    text = "rule: promotion/allow\ncases: [{expect: failed, promotion: {stage: qa}}]"
    with far_side(saying(answer(b'{"result": {"allow": false, "reasons": ["too soon"]}}'))) as far:
        code, out, _ = run(tmp_path, text, "--opa", far.url)
    assert code == 0
    assert "too soon" in out
    assert json.loads(far.asked[0].body)["input"]["stage"] == "qa"
    code, out, _ = run(tmp_path, text, "--opa", "http://127.0.0.1:1")
    assert code == 1
    assert "unknown" in out


def test_the_policy_of_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "version: 1\npipeline:\n  stages:\n    dev: {repository: acme/env-dev}\n"
        "    qa: {repository: acme/env-qa, after: dev, gates: [{gate: policy, name: small, expression: promotion.moves.size() == 1}]}\n"
    )
    code, out, err = run(tmp_path, "stage: qa\ngate: small\ncases: [{expect: passed}]", "--config", str(config))
    assert code == 0, out + err
    code, _, err = run(tmp_path, "stage: qa\ngate: big\ncases: [{expect: passed}]", "--config", str(config))
    assert code == 2
    assert "qa: small" in err


@pytest.mark.parametrize(
    "text",
    [
        "cases: [{expect: passed}]",
        "expression: promotion.\ncases: [{expect: passed}]",
        "expression: 'true'",
        "expression: 'true'\ncases: []",
        "expression: 'true'\ncases: [{expect: yes}]",
        "expression: 'true'\ncases: [{expect: passed, extra: 1}]",
        "expression: 'true'\ncases: [{expect: passed, now: soon}]",
        "expresion: 'true'\ncases: [{expect: passed}]",
        "rule: a/b\ncases: [{expect: passed}]",
        "stage: qa\ncases: [{expect: passed}]",
        "[1]",
        "a: [",
    ],
)
def test_what_is_not_valid_is_refused_with_its_remedy(tmp_path: Path, text: str) -> None:
    code, _, err = run(tmp_path, text)
    assert code == 2
    assert [line.split(":")[0] for line in err.strip().split("\n")] == ["error", "why", "fix"]


def test_the_sample_is_the_document() -> None:
    result = CliRunner().invoke(load_commands(), ["policy", "sample"])
    assert json.loads(result.stdout)["document"] == 1
