"""The agent's eye: a stage's repository, fetched with real git.

Decides when there is a new commit and reads its files without a work tree. Nothing from the repository is run: no
hooks, no filters, no submodules.
"""

import base64
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

WANTED = (".yaml", ".yml", ".json")
LIMIT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a stage is declared: URL or path of a repository, a branch, a folder in it; credentials for HTTP."""

    url: str
    branch: str = "main"
    folder: str = ""
    username: str = ""
    password: str = ""


class GitError(Exception):
    """git said no; the message is git's, without credentials."""


class Mirror:
    """A bare copy of one branch in a directory of its own."""

    def __init__(self, source: Source, directory: Path) -> None:
        self.source, self.directory = source, directory

    def fetch(self) -> str:
        """The branch's commit now. Raises GitError where the repository or the branch is not there."""
        branch = f"refs/heads/{self.source.branch}"
        self._git("fetch", "--quiet", "--no-tags", "--force", "--", self.source.url, f"+{branch}:{branch}")
        return self._git("rev-parse", "--verify", branch).decode().strip()

    def peek(self) -> str:
        """The branch's commit at the source, without fetching it; cheaper for a poll."""
        answer = self._git("ls-remote", "--", self.source.url, f"refs/heads/{self.source.branch}").decode()
        return answer.split("\t")[0] if answer else ""

    def files(self, commit: str) -> dict[str, bytes]:
        """The manifests of a commit: regular files that end like one, up to 1 MB, links left out."""
        listed = self._git("ls-tree", "-r", "-z", "--full-tree", "--long", commit).decode("utf-8", "surrogateescape")
        blobs: dict[str, str] = {}
        for line in filter(None, listed.split("\0")):
            head, _, path = line.partition("\t")
            mode, kind, blob, size = head.split()
            named = path.endswith(WANTED) or path.rpartition("/")[2] == "Kustomization"
            if kind == "blob" and mode in ("100644", "100755") and named and int(size) <= LIMIT:
                blobs[path] = blob
        wanted = list(dict.fromkeys(blobs.values()))
        answer = self._git("cat-file", "--batch", stdin="\n".join(wanted).encode() + b"\n") if wanted else b""
        contents: dict[str, bytes] = {}
        place = 0
        for blob in wanted:
            end = answer.index(b"\n", place)
            size_of = int(answer[place:end].split()[2])
            contents[blob] = answer[end + 1 : end + 1 + size_of]
            place = end + 2 + size_of
        return {path: contents[blob] for path, blob in blobs.items()}

    def _git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.directory),
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.hooksPath",
            "GIT_CONFIG_VALUE_0": os.devnull,
        }
        if self.source.username or self.source.password:
            pair = base64.b64encode(f"{self.source.username}:{self.source.password}".encode()).decode()
            environment |= {
                "GIT_CONFIG_COUNT": "2",
                "GIT_CONFIG_KEY_1": "http.extraHeader",
                "GIT_CONFIG_VALUE_1": f"Authorization: Basic {pair}",
            }
        if not self.directory.exists():
            self.directory.mkdir(parents=True)
            self._git("init", "--quiet", "--bare", ".")
        command = ["git", "-C", str(self.directory), "-c", "safe.directory=*", *arguments]
        try:
            done = subprocess.run(command, input=stdin, capture_output=True, env=environment, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise GitError(f"git {arguments[0]}: {type(error).__name__}") from error
        if done.returncode:
            raise GitError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()[:300]}")
        return done.stdout
