"""One bare repository, through the git command line: refs, commits made in memory, merges, comparison.

Decides nothing about pull requests or rights. Every call is one or two processes with an argument list and a
configuration of its own, so that the machine's git settings have no say.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ZERO = "0" * 40
LONGEST = 100_000
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


class GitError(Exception):
    """git said no; the message is its standard error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who made a commit, and when."""

    name: str
    email: str
    when: datetime

    def line(self) -> str:
        """As git's own formats want it: `Name <mail> seconds +0000`."""
        name = self.name.translate(str.maketrans("", "", "<>\n"))
        return f"{name} <{self.email}> {int(self.when.timestamp())} +0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """The outcome of a three-way merge: a tree, or the paths that conflict."""

    tree: str
    conflicts: tuple[str, ...] = ()


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every git process: this machine's configuration, prompts and locale stay out."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    settled = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    return kept | settled | dict(extra or {})


@dataclass(frozen=True, slots=True)
class Git:
    """The bare repository at `path`."""

    path: Path

    def run(self, arguments: Sequence[str], *, feed: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
        """Standard output of `git ARGUMENTS`; raises GitError with git's own words."""
        done = self.attempt(arguments, feed=feed, env=env)
        if done.returncode != 0:
            raise GitError(done.stderr.decode(errors="replace").strip() or f"git {arguments[0]} ended with {done.returncode}")
        return done.stdout

    def attempt(
        self, arguments: Sequence[str], *, feed: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """The finished process, whatever its exit code."""
        command = ["git", "--git-dir", str(self.path), *arguments]
        if any("\0" in argument or len(argument) > LONGEST for argument in arguments):
            return subprocess.CompletedProcess(command, 128, b"", b"fatal: not a name that git knows")
        return subprocess.run(command, input=feed if feed is not None else b"", env=environment(env), capture_output=True, check=False)

    def text(self, *arguments: str) -> str:
        """Standard output as text without the last newline."""
        return self.run(arguments).decode(errors="replace").rstrip("\n")

    def create(self, default_branch: str) -> None:
        """Make the bare repository; it allows partial clones and pushes over HTTP."""
        self.path.mkdir(parents=True)
        self.run(["init", "--bare", "--quiet", "--template=", f"--initial-branch={default_branch}", str(self.path)])
        settings = {
            "http.receivepack": "true",
            "uploadpack.allowFilter": "true",
            "uploadpack.allowAnySHA1InWant": "true",
            "uploadpack.hideRefs": "refs/sandbox",
            "receive.hideRefs": "refs/sandbox",
            "receive.autogc": "false",
            "gc.auto": "0",
            "core.logAllRefUpdates": "false",
        }
        lines = [f"[{key.split('.')[0]}]\n\t{key.split('.')[1]} = {value}\n" for key, value in settings.items()]
        with (self.path / "config").open("a", encoding="utf-8") as config:
            config.writelines(lines)

    # refs ---------------------------------------------------------------------------------------

    def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        """Full ref name -> object id, sorted by name."""
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)", prefix).splitlines()
        return {name: oid for name, oid in (line.split(" ") for line in lines if line) if not name.startswith("refs/sandbox/")}

    def commit_of(self, revision: str) -> str | None:
        """The commit that a branch, tag or id names, or None. Never an option: a leading dash is no revision."""
        if not revision or revision.startswith("-"):
            return None
        done = self.attempt(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
        return done.stdout.decode().strip() or None if done.returncode == 0 else None

    def branch(self, name: str) -> str | None:
        """The commit of `refs/heads/<name>`, or None."""
        return self.commit_of(f"refs/heads/{name}")

    def update_ref(self, ref: str, new: str, old: str) -> None:
        """Move, create (`old` = zeros) or delete (`new` = zeros) a ref if it still is at `old`; raises GitError if not."""
        line = f"delete {ref} {old}\n" if new == ZERO else f"update {ref} {new} {old}\n"
        self.run(["update-ref", "--stdin"], feed=line.encode())

    def valid_ref(self, ref: str) -> bool:
        """Whether git would take the name."""
        return self.attempt(["check-ref-format", ref]).returncode == 0

    # objects ------------------------------------------------------------------------------------

    def object_type(self, oid: str) -> str | None:
        """`commit`, `tree`, `blob`, `tag`, or None where nothing has that id."""
        if not oid or oid.startswith("-"):
            return None
        done = self.attempt(["cat-file", "-t", oid])
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def blob(self, oid: str) -> bytes:
        """The bytes of a blob."""
        return self.run(["cat-file", "blob", oid])

    def entry(self, commit: str, path: str) -> tuple[str, str, str] | None:
        """Mode, type and object id of a path in a commit's tree, or None; the root is `040000 tree`."""
        clean = path.strip("/")
        if not clean:
            return "040000", "tree", self.text("rev-parse", f"{commit}^{{tree}}")
        done = self.attempt(["--literal-pathspecs", "ls-tree", "-z", commit, "--", clean])
        line = done.stdout.decode(errors="surrogateescape").rstrip("\0")
        if done.returncode != 0 or not line:
            return None
        mode, kind, oid = line.split("\t", 1)[0].split(" ")
        return mode, kind, oid

    def listing(self, tree: str, *, recursive: bool = False) -> list[tuple[str, str, str, int, str]]:
        """Entries of a tree: mode, type, id, size (0 for trees) and path."""
        flags = ["-r", "-t"] if recursive else []
        raw = self.run(["ls-tree", "-z", "-l", *flags, tree]).decode(errors="surrogateescape")
        entries = []
        for line in raw.split("\0"):
            if line:
                head, path = line.split("\t", 1)
                mode, kind, oid, size = head.split()
                entries.append((mode, kind, oid, 0 if size == "-" else int(size), path))
        return entries

    def commit_files(
        self, parent: str | None, files: Mapping[str, bytes | None], *, message: str, author: Signature, committer: Signature
    ) -> str:
        """A new commit on `parent` (None: a root commit) with these files written, or deleted where the bytes are None."""
        reference = f"refs/sandbox/{os.urandom(8).hex()}"
        stream = [f"commit {reference}\nauthor {author.line()}\ncommitter {committer.line()}\n".encode()]
        said = message.encode()
        stream.append(b"data %d\n%s\n" % (len(said), said))
        if parent is not None:
            stream.append(f"from {parent}\n".encode())
        for path, content in files.items():
            name = path.encode(errors="surrogateescape")
            quoted = b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
            if content is None:
                stream.append(b"D %s\n" % quoted)
            else:
                stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (quoted, len(content), content))
        stream.append(b"done\n")
        self.run(["fast-import", "--quiet", "--done"], feed=b"".join(stream))
        made = self.text("rev-parse", reference)
        self.update_ref(reference, ZERO, made)
        return made

    def commit_tree(self, tree: str, parents: Iterable[str], *, message: str, author: Signature, committer: Signature) -> str:
        """A new commit with this tree."""
        flags = [flag for parent in parents for flag in ("-p", parent)]
        people = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": f"{int(author.when.timestamp())} +0000",
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": f"{int(committer.when.timestamp())} +0000",
        }
        return self.run(["commit-tree", tree, *flags], feed=message.encode(), env=people).decode().strip()

    def merge(self, ours: str, theirs: str) -> Merge:
        """The three-way merge of two commits by git's own strategy; no ref moves."""
        done = self.attempt(["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs])
        if done.returncode not in (0, 1):
            raise GitError(done.stderr.decode(errors="replace").strip())
        tree, *paths = done.stdout.decode(errors="surrogateescape").rstrip("\0").split("\0")
        return Merge(tree=tree, conflicts=tuple(dict.fromkeys(paths)) if done.returncode == 1 else ())

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `older` is reachable from `newer` (a commit is its own ancestor)."""
        return self.attempt(["merge-base", "--is-ancestor", older, newer]).returncode == 0

    def merge_base(self, left: str, right: str) -> str | None:
        """The best common ancestor, or None for unrelated histories."""
        return self.attempt(["merge-base", left, right]).stdout.decode().strip() or None

    def commits(self, *revisions: str, limit: int | None = None, skip: int = 0, path: str | None = None) -> list[str]:
        """Commit ids, newest first."""
        flags = ([] if limit is None else [f"--max-count={limit}"]) + ([f"--skip={skip}"] if skip else [])
        after = ["--", path] if path else ["--"]
        return self.text("rev-list", *flags, *revisions, *after).split()
