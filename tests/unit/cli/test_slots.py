# ruff: noqa: E501
"""`promotion-bot slots`: every version with file:line, problems apart, and what pairs with what between stages."""

import json
import os
import subprocess
import sys
from pathlib import Path


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from bot.cli.main import main; main()", "slots", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_versions_problems_and_pairs(tmp_path: Path) -> None:
    write(tmp_path, {
        "dev/api/values.yaml": "image:\n  repository: acme/api\n  tag: '1.10'\n",
        "dev/new.yaml": "image: acme/new:1\n",
        "dev/bad.yaml": 'image: "acme/x:{{ .T }}"\n',
        "dev/templates/x.yaml": "image: acme/t:1\n",
        "qa/api/values.yaml": "# c\nimage: {repository: acme/api, tag: '1.9'}\n",
    })  # fmt: skip
    dev, qa = str(tmp_path / "dev"), str(tmp_path / "qa")
    done = run(dev, qa, "--output", "json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert [(Path(one["path"]).relative_to(tmp_path).as_posix(), one["line"], one["artifact"], one["version"]["tag"]) for one in answer["slots"]] == [
        ("dev/api/values.yaml", 3, "acme/api", "1.10"), ("dev/new.yaml", 1, "acme/new", "1"), ("qa/api/values.yaml", 2, "acme/api", "1.9"),
    ]  # fmt: skip
    assert [(one["line"], one["code"]) for one in answer["problems"]] == [(1, "TemplateSyntax")]
    api, new = answer["pairs"]
    assert (api["artifact"], new["artifact"]) == ("acme/api", "acme/new")
    assert [one["version"] for one in (*api["places"][dev], *api["places"][qa])] == ["1.10", "1.9"]
    assert new["places"][qa] == []
    text = run(dev, qa)
    assert "not there" in text.stdout
    assert "bad.yaml:1: TemplateSyntax" in text.stderr


def test_a_path_that_is_not_there() -> None:
    done = run("/nonexistent/path")
    assert done.returncode == 5
    assert done.stderr.startswith("error: ")


def test_a_file_that_cannot_be_read_holds_nothing_up(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": "image: acme/a:1\n"})
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    done = run(str(pipe), str(tmp_path / "a.yaml"))
    assert done.returncode == 0
    assert "acme/a" in done.stdout
    assert f"{pipe}:1: FileNotFound: the file cannot be read" in done.stderr
