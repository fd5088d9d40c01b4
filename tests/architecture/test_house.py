"""The house's own rules, held by a test: sizes, floors, bans, help lines, links."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from bot.cli.main import load_commands

ROOT = Path(__file__).parents[2]
CODE = sorted(path for path in (ROOT / "bot").rglob("*.py") if "migrations/versions" not in path.as_posix())
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
TEXTS = [ROOT / path for path in TRACKED if path.endswith((".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".sh")) or "." not in path]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s]+)\)")
CODE_SPAN = re.compile(r"`[^`\n]*`")
MOST_LINES, MOST_STATEMENTS = 300, 40


def functions(path):
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def statements(function):
    """Those of the function itself; its docstring, and functions inside it, are counted apart."""
    inside = [one for one in ast.walk(function) if one is not function and isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    own = sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1 - (ast.get_docstring(function) is not None)
    return own - sum(sum(isinstance(node, ast.stmt) for node in ast.walk(one)) - 1 for one in inside)


def test_no_file_is_longer_than_300_lines():
    found = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in CODE}
    assert {path: lines for path, lines in found.items() if lines > MOST_LINES} == {}


def test_every_file_says_what_it_decides():
    silent = [path for path in CODE if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None]
    assert silent == []


def test_no_function_has_more_than_40_statements():
    found = {f"{path.name}:{one.name}": statements(one) for path in CODE for one in functions(path)}
    assert {name: count for name, count in found.items() if count > MOST_STATEMENTS} == {}


def test_nothing_is_mocked_and_no_shell_is_used():
    banned = ("unittest" + ".mock", "mock" + ".patch", "shell" + "=True", "os" + ".system(")
    python = [path for path in TEXTS if path.suffix == ".py" and path.exists() and path != Path(__file__)]
    assert [(path.relative_to(ROOT).as_posix(), word) for path in python for word in banned if word in path.read_text()] == []


def test_locked_requirements_name_no_registry():
    for path in ROOT.glob("requirements*.txt"):
        assert "index-url" not in path.read_text()
        assert "://" not in path.read_text()


def test_every_link_in_the_documents_leads_somewhere():
    pages = [path for path in TEXTS if path.suffix == ".md" and path.exists()]
    links = [(page, link) for page in pages for link in LINK.findall(CODE_SPAN.sub("", page.read_text()))]
    assert [(page.relative_to(ROOT).as_posix(), link) for page, link in links if not _there(page, link)] == []


def _there(page, link):
    return (page.parent / link.partition("#")[0]).exists()


def test_every_command_has_a_help_line():
    commands = typer.main.get_group(load_commands()).commands
    assert len(commands) >= 10
    assert [name for name, command in commands.items() if not command.get_short_help_str(200)] == []


@pytest.mark.slow
def test_imports_run_down_only():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
