"""Every refusal of the command line is three lines: what, why, and how it is mended."""

import ast
import json
import sqlite3
import sys
from pathlib import Path

import pytest

import bot.cli
from bot.cli.main import main
from bot.domain.errors import UserError

RULES = "version: 1\nforge: {app: {app_id: 1}}\npipeline: {stages: {dev: {repository: acme/env-dev}}}\n"


def left(words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[object, str]:
    """The exit code and what was written to stderr."""
    monkeypatch.setattr(sys, "argv", ["promotion-bot", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "what", "why"),
    [
        (["backfill", "--stage", "dev=./nope", "--out", "h.json"], "nope is no git repository", "there is no such folder"),
        (["backfill", "--stage", "dev=.", "--out", "h.json"], ". is no git repository", "there is no .git and no HEAD in it"),
        (["backfill", "--store", "--config", "c.yaml", "--stage", "dev=.", "--database", "no/such/bot.db"], "no folder", "mistyped"),
        (["backfill", "--forget", "--database", "none.db"], "there is no database at", "does not make one"),
        (["demo", "--from", "nope"], "nope is not a folder", "made from the folders in it"),
        (["demo", "--from", "."], " holds 0 stage folders", "two are the least"),
        (["report", "--from", "2026-01-01", "--to", "2026-02-01", "--database", "mysql://x/y"], "'mysql', which is not known", "SQLite or"),
        (
            ["report", "--from", "2026-01-01", "--to", "2026-02-01", "--database", "other.db"],
            "tables that are not the bot's",
            "somebody else",
        ),
        (["report", "--from", "2026-01-01", "--to", "2026-02-01", "--database", "empty.db"], "is empty", "only `serve` changes"),
        (["report", "--from", "2026-01-01", "--to", "2026-02-01", "--database", "damaged.db"], "is damaged", "its own format"),
        (["plan"], "Say where to look", "neither --config nor --checkout"),
        (["plan", "--checkout", "nope"], "nope is not a folder", "stage by stage"),
    ],
)
def test_a_refusal_says_what_why_and_how_to_mend_it(
    words: list[str], what: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROMOTION_BOT_DATABASE_URL", raising=False)
    Path("c.yaml").write_text(RULES)
    Path("empty.db").touch()
    Path("damaged.db").write_bytes(b"this is no database" * 500)
    with sqlite3.connect("other.db") as other:
        other.execute("CREATE TABLE customers (id INTEGER)")
    code, told = left(words, capsys, monkeypatch)
    lines = told.splitlines()
    assert (code, [line.partition(":")[0] for line in lines]) == (2, ["error", "why", "fix"])
    assert what in lines[0]
    assert why in lines[1]


def test_the_reason_stands_in_the_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, told = left(["backfill", "--stage", "dev=./nope", "--out", "h.json", "--output", "json"], capsys, monkeypatch)
    assert (code, json.loads(told)["why"]) == (2, "there is no such folder")


def test_a_place_and_a_reason_are_both_told() -> None:
    error = UserError("It is wrong.", where="a.yaml:3", why="two keys are the same", fix="take one out")
    assert (error.why, error.where, str(error)) == ("two keys are the same", "a.yaml:3", "a.yaml:3: It is wrong.")


def test_no_command_refuses_without_a_reason_or_a_place() -> None:
    bare = [
        f"{file.name}:{call.lineno}"
        for file in sorted(Path(bot.cli.__path__[0]).rglob("*.py"))
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "UserError"
        if not {"why", "where"} & {word.arg for word in call.keywords}
    ]
    assert bare == []
