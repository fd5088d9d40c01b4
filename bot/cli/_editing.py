"""What `promotion-bot edit` needs around the engine: short addresses, the JSON lines of `--batch`, diffs, and writing a file whole.

A batch answers every line with one line, whatever the line is; nothing is ever half written.
"""

import difflib
import errno
import json
import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from bot.manifests import EditRefused, edit

BAD_REQUEST = "BadRequest"
LONGEST_LINE = 16 * 1_048_576


def parse_short_address(text: str) -> Any:
    """An address from the command line: JSON, or a path, a pointer, an image."""
    stripped = text.strip()
    if stripped.startswith("{"):
        try:
            return json.loads(stripped)
        except (ValueError, RecursionError):
            raise EditRefused("BadAddress", f"the address is not valid JSON: {text[:80]}") from None
    if stripped.startswith("$"):
        return {"path": stripped}
    return {"pointer": text} if stripped.startswith("/") or not stripped else {"image": stripped}


def parse_short_value(text: str) -> Any:
    """A new value from the command line: JSON for the parts of an image, else the text itself."""
    if not text.startswith("{"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise EditRefused("InvalidVersion", f"the new value is not valid JSON: {text[:80]}") from None


def answer_lines(requests: IO[bytes], answers: IO[bytes], *, write: bool) -> None:
    """One answer for each line, in order, each sent at once so that another program can talk to this one."""
    while line := requests.readline(LONGEST_LINE + 2):
        rest = line
        while rest and not rest.endswith(b"\n"):  # of a line that is refused for its length, no more is kept
            rest = requests.readline(LONGEST_LINE)
        answer = answer_line(line, write=write)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def answer_line(line: bytes, *, write: bool = False) -> dict[str, Any]:
    """The answer to one request: {"content"}, or {"error", "message", "line"}; the message says what, where and how to mend it."""
    request: dict[str, Any] = {}
    try:
        request = _request(line)
        content = _content(request)
        edited = edit(content, request.get("address"), request.get("new"))  # type: ignore[arg-type]
        if write and "content" not in request and edited != content:
            write_file(Path(request["path"]), edited)
        return {"content": edited.decode("utf-8")}
    except EditRefused as refusal:
        where = f"{request['path']}:{refusal.line}: " if "content" not in request and isinstance(request.get("path"), str) else ""
        return {"error": refusal.code, "message": f"{where}{refusal.message}. {refusal.fix}", "line": refusal.line}
    except _BadRequest as refusal:
        return {"error": refusal.code, "message": str(refusal), "line": 1}
    except Exception as error:  # one request's fault, even ours, must not cost the others their answers
        print(f"internal error: {type(error).__name__}: {error}", file=sys.stderr)
        return {"error": "Internal", "message": f"internal error: {type(error).__name__}", "line": 1}


def diff_of(name: str, before: bytes, after: bytes) -> bytes:
    """The unified diff of two contents; nothing where they are the same."""
    lines = [content.splitlines(keepends=True) for content in (before, after)]
    path = name.removeprefix("/").encode()
    parts = difflib.diff_bytes(difflib.unified_diff, lines[0], lines[1], b"a/" + path, b"b/" + path)
    return b"".join(part if part.endswith(b"\n") else part + b"\n\\ No newline at end of file\n" for part in parts)


def read_file(path: Path) -> bytes:
    """The content of an ordinary file of at most `LONGEST_LINE` bytes. Raises OSError, also for a folder, a device or a pipe."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as stream:
        facts = os.fstat(handle)
        if stat.S_ISDIR(facts.st_mode):
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "It is no ordinary file")
        if facts.st_size > LONGEST_LINE:
            raise OSError(errno.EFBIG, f"It is longer than {LONGEST_LINE} bytes")
        return stream.read()


def write_file(path: Path, content: bytes) -> None:
    """Put `content` in the file's place in one step, with its mode kept; a symbolic link's target is written."""
    target = path.resolve()
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


class _BadRequest(Exception):
    """A line of the batch that asks for nothing we could do."""

    def __init__(self, message: str, code: str = BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code


def _request(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise _BadRequest(f"the line is longer than {LONGEST_LINE} bytes")
    try:
        request = json.loads(line)
    except UnicodeDecodeError:
        raise _BadRequest("the line is not UTF-8", "NotUtf8") from None
    except (ValueError, RecursionError):
        raise _BadRequest("the line is not valid JSON") from None
    if not isinstance(request, dict):
        raise _BadRequest("the line is not a JSON object")
    return request


def _content(request: dict[str, Any]) -> bytes:
    content = request.get("content")
    if isinstance(content, str):
        try:
            return content.encode("utf-8")
        except UnicodeEncodeError:
            raise EditRefused("NotUtf8", "the content holds half of a surrogate pair") from None
    path = request.get("path")
    if content is not None or not isinstance(path, str):
        raise _BadRequest("`content` or `path` must be a text")
    try:
        return read_file(Path(path))
    except (OSError, ValueError) as error:
        raise _BadRequest(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}", "FileNotFound") from None
