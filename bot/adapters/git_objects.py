"""git's own formats: what `ls-tree`, `cat-file --batch` and `log` print, and what `fast-import` reads. Text in, data out; no process."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from bot.domain.errors import UserError
from bot.ports import CommitInfo, TreeEntry

LOG_FORMAT = "%H%x00%P%x00%an%x00%ae%x00%at%x00%s%x00%b"
LOG_FIELDS = 7
REGULAR = ("100644", "100755")
FOLDER = "040000"
KINDS = {"120000": "a symbolic link", "160000": "a submodule", FOLDER: "a folder"}
ROOT_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def parse_tree(out: bytes, folder: str = "") -> list[TreeEntry]:
    """Entries of `ls-tree -r -z -l`. A path that is not UTF-8 is shown with backslash escapes (and can then not be written)."""
    inside = f"{folder}/" if folder else ""
    entries = []
    for record in out.split(b"\0"):
        if not record:
            continue
        facts, _, raw_path = record.partition(b"\t")
        mode, _, blob, size = facts.decode().split()
        path = raw_path.decode("utf-8", "backslashreplace")
        if path.startswith(inside):
            entries.append(TreeEntry(path=path, blob=blob, mode=mode, size=0 if size == "-" else int(size)))
    return entries


def parse_blobs(out: bytes) -> dict[str, bytes]:
    """Contents printed by `cat-file --batch`, by id; an id that git does not have, or that is no blob, is left out."""
    blobs = {}
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        words = out[at:end].decode().split()
        at = end + 1
        if len(words) != 3 or not words[2].isdigit():
            continue
        size = int(words[2])
        if words[1] == "blob":
            blobs[words[0]] = out[at : at + size]
        at += size + 1
    return blobs


def parse_log(out: bytes) -> list[CommitInfo]:
    """Commits printed by `log -z` in LOG_FORMAT."""
    fields = out.decode("utf-8", "replace").split("\0")
    commits = []
    for start in range(0, len(fields) - LOG_FIELDS + 1, LOG_FIELDS):
        sha, parents, author, email, seconds, subject, body = fields[start : start + LOG_FIELDS]
        commits.append(
            CommitInfo(
                sha=sha,
                parents=tuple(parents.split()),
                author=author,
                email=email,
                at=_instant(seconds),
                subject=subject,
                body=body.rstrip("\n"),
            )
        )
    return commits


def _instant(seconds: str) -> datetime:
    """A commit's date is whatever its author wrote; one outside of the calendar counts as the beginning of time."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return ROOT_OF_TIME


def check_path(path: str) -> None:
    """`UserError` unless the path is a plain relative one that no file system reads as something else."""
    parts = path.split("/")
    if (
        not path
        or len(path) > 4096
        or any(part in ("", ".", "..") or part.casefold().rstrip(". ") == ".git" for part in parts)
        or any(ord(sign) < 32 or ord(sign) == 127 or sign == "\\" or 0xD800 <= ord(sign) <= 0xDFFF for sign in path)
    ):
        shown = path[:80].encode("ascii", "backslashreplace").decode()
        raise UserError(
            f"The path '{shown}' is not a plain path inside the repository.",
            fix="Write it relative to the repository's root, without '..', backslashes or control characters.",
            code="BadPath",
        )


def modes_for(files: Iterable[str], present: Mapping[str, TreeEntry]) -> dict[str, str]:
    """The mode with which each file is written: the one it has; `UserError` where something else than a regular file stands there."""
    modes = {}
    for path in files:
        check_path(path)
        entry = present.get(path)
        if entry is not None and entry.mode not in REGULAR:
            kind = KINDS.get(entry.mode, f"an entry of mode {entry.mode}")
            raise UserError(f"'{path}' is {kind}; only regular files are changed.", fix="Name the file itself.", code="NotARegularFile")
        modes[path] = entry.mode if entry is not None else "100644"
    return modes


def import_stream(
    *, ref: str, parent: str, files: Mapping[str, bytes], modes: Mapping[str, str], message: str, identity: str, at: datetime
) -> bytes:
    """A `fast-import` stream that writes one commit, prints its id and leaves no ref. Files are sorted, so that the id is the content's."""
    text = message.replace("\0", "").encode("utf-8", "replace")
    stamp = f"{identity} {int(at.timestamp())} +0000".encode()
    lines = [
        b"feature done\nfeature get-mark\n",
        b"commit " + ref.encode() + b"\nmark :1\n",
        b"author " + stamp + b"\ncommitter " + stamp + b"\n",
        b"data %d\n" % len(text) + text + b"\n",
        b"from " + parent.encode() + b"\n",
    ]
    for path in sorted(files):
        quoted = '"' + path.replace('"', '\\"') + '"'
        content = files[path]
        lines.append(f"M {modes[path]} inline {quoted}\n".encode() + b"data %d\n" % len(content) + content + b"\n")
    lines.append(b"\nget-mark :1\n")
    lines.append(b"reset " + ref.encode() + b"\nfrom " + b"0" * len(parent) + b"\n\ndone\n")
    return b"".join(lines)
