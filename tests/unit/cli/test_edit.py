# ruff: noqa: E501
"""`promotion-bot edit`: one file, and a batch that answers every line with one line, whatever the line is."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.cli._editing import answer_line, diff_of, parse_short_address, write_file


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from bot.cli.main import main; main()", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60)


def line(**request: Any) -> bytes:
    return json.dumps(request).encode() + b"\n"


def test_batch_answers_in_order_and_once_for_each_line(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_bytes(b"tag: v1\r\n")
    lines = [
        line(content="tag: v1 # \u2028\n", address={"path": "$.tag"}, new="v2"),
        b"no json\n",
        b"\n",
        b"[1]\n",
        b"\xff\n",
        b"[" * 100_000 + b"\n",
        line(path=str(file), address={"path": "$.tag"}, new="v2"),
        line(path=str(tmp_path / "none"), address={"path": "$.tag"}, new="v2"),
        line(path="a\0b", address={"path": "$.tag"}, new="v2"),
        line(path=str(tmp_path), address={"path": "$.tag"}, new="v2"),
        line(content="tag: \ud800\n", address={"path": "$.tag"}, new="v2"),
        line(content=5, address={"path": "$.tag"}, new="v2"),
        line(content="tag: v1\n"),
        line(content="tag: v1\n", address={"path": "$.tog"}, new="v2"),
        line(content="a: 1\ntag: v1\n", address={"path": "$.tag", "old": "x"}, new="v2")[:-1],
    ]
    done = run("edit", "--batch", stdin=b"".join(lines))
    assert done.returncode == 0
    assert done.stderr == b""
    answers = [json.loads(one) for one in done.stdout.split(b"\n")[:-1]]
    assert [one.get("error", one.get("content")) for one in answers] == [
        "tag: v2 # \u2028\n", "BadRequest", "BadRequest", "BadRequest", "NotUtf8", "BadRequest", "tag: v2\r\n", "FileNotFound", "FileNotFound",
        "FileNotFound", "NotUtf8", "BadRequest", "BadAddress", "PathNotFound", "StaleValue",
    ]  # fmt: skip
    assert all(set(one) == {"content"} or (set(one) == {"error", "message", "line"} and one["message"]) for one in answers)
    assert answers[-1]["line"] == 2
    assert file.read_bytes() == b"tag: v1\r\n"


def test_one_file_printed_compared_and_written(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"image: acme/api:1 # c\n")
    os.chmod(file, 0o640)
    printed = run("edit", str(file), "acme/api", '{"tag": "1.10"}')
    assert (printed.returncode, printed.stdout) == (0, b"image: acme/api:1.10 # c\n")
    compared = run("edit", str(file), "$.image", '{"tag": "2"}', "--diff")
    assert b"-image: acme/api:1 # c\n+image: acme/api:2 # c\n" in compared.stdout
    assert file.read_bytes() == b"image: acme/api:1 # c\n"
    written = run("edit", str(file), "/image", "acme/api:3", "--write")
    assert (written.returncode, written.stdout) == (0, b"")
    assert file.read_bytes() == b"image: acme/api:3 # c\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("address", "new", "code", "status"),
    [("$.nope", "2", "PathNotFound", 5), ("nope nope", "2", "BadAddress", 2), ('{"path": "$.tag", "old": "x"}', "2", "StaleValue", 6), ("{", "2", "BadAddress", 2)],
)  # fmt: skip
def test_a_refusal_says_what_why_and_how_to_mend(tmp_path: Path, address: str, new: str, code: str, status: int) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"tag: v1\n")
    told = run("edit", str(file), address, new, "--write")
    assert told.returncode == status
    assert told.stdout == b""
    first, second, third = told.stderr.decode().splitlines()
    assert first == f"error: {code}"
    assert second.startswith(f"why: {file}:1: ")
    assert third.startswith("fix: ")
    as_json = run("edit", str(file), address, new, "-o", "json")
    assert json.loads(as_json.stderr)["error"] == code
    assert file.read_bytes() == b"tag: v1\n"


def test_missing_file_and_missing_arguments(tmp_path: Path) -> None:
    assert run("edit", str(tmp_path / "none"), "$.a", "1").returncode == 5
    assert run("edit").returncode == 2


def test_short_addresses() -> None:
    assert parse_short_address("$.a") == {"path": "$.a"}
    assert parse_short_address("/a/b") == {"pointer": "/a/b"}
    assert parse_short_address("ghcr.io/a/b") == {"image": "ghcr.io/a/b"}
    assert parse_short_address('{"marker": "x"}') == {"marker": "x"}


def test_a_link_is_written_through(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"a")
    link.symlink_to(real)
    write_file(link, b"b")
    assert link.is_symlink()
    assert real.read_bytes() == b"b"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "real"]


def test_a_diff_without_a_final_newline() -> None:
    assert diff_of("/x/y", b"a: 1", b"a: 2").endswith(b"-a: 1\n\\ No newline at end of file\n+a: 2\n\\ No newline at end of file\n")


def test_batch_writes_only_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"tag: v1\n")
    request = line(path=str(file), address={"path": "$.tag"}, new="v2")
    assert answer_line(request) == {"content": "tag: v2\n"}
    assert file.read_bytes() == b"tag: v1\n"
    answer_line(request, write=True)
    assert file.read_bytes() == b"tag: v2\n"


def test_pipes_devices_and_endless_files_are_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    large = tmp_path / "large.yaml"
    with large.open("wb") as stream:
        stream.truncate(17 * 1_048_576)
    for path in (pipe, Path("/dev/zero"), large):
        answer = answer_line(line(path=str(path), address={"path": "$.tag"}, new="v2"))
        assert answer["error"] == "FileNotFound"
        assert str(path) in answer["message"]
    done = run("edit", str(pipe), "$.tag", "v2")
    assert done.returncode == 5


def test_a_line_too_long_costs_the_others_nothing() -> None:
    good = line(content="tag: v1\n", address={"path": "$.tag"}, new="v2")
    done = run("edit", "--batch", stdin=b'"' + b"x" * (40 * 1_048_576) + b'"\n' + good + b"y" * (17 * 1_048_576))
    answers = [json.loads(one) for one in done.stdout.split(b"\n")[:-1]]
    assert [one.get("error", one.get("content")) for one in answers] == ["BadRequest", "tag: v2\n", "BadRequest"]


def test_a_refusal_in_a_batch_says_where_and_how_to_mend(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"a: 1\ntag: &v v1\nb: *v\n")
    request = {"address": {"path": "$.tag"}, "new": "v2"}
    answer = answer_line(line(path=str(file), **request))
    assert (answer["error"], answer["line"]) == ("SharedAnchor", 2)
    assert answer["message"].startswith(f"{file}:2: the value stands under an anchor")
    assert "allowShared" in answer["message"]
    answer = answer_line(line(content=file.read_text(), **request))
    assert answer["message"].startswith("the value stands under an anchor")
