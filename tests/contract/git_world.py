"""A server folder with real bare repositories, and a person who pushes to them; for the tests of git."""

import os
import subprocess
from pathlib import Path

from bot.adapters.git import GitRepositories
from bot.adapters.git_remote import Remote

NAME = "acme/env"
CLEAN = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}


def git(directory: Path, *arguments: str, feed: str | None = None, **env: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments], env={**CLEAN, **env}, input=feed, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


class World:
    """A server folder with one bare repository, and a person with a work tree."""

    def __init__(self, root: Path) -> None:
        self.server = root / "server"
        self.bare = self.server / f"{NAME}.git"
        self.bare.mkdir(parents=True)
        git(self.bare, "init", "-q", "--bare", "-b", "main")
        self.work = root / "work"
        self.work.mkdir()
        git(self.work, "init", "-q", "-b", "main")
        git(self.work, "remote", "add", "origin", str(self.bare))
        self.requests: list[tuple[str, str]] = []
        self.root = root / "clones"

    def person(self, files: dict[str, str | None], branch: str = "main", message: str = "change") -> str:
        git(self.work, "checkout", "-q", "-B", branch)
        for path, text in files.items():
            file = self.work / path
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        git(self.work, "add", "-A")
        who = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@x.io", "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+02:00"}
        git(self.work, "commit", "-q", "-m", message, GIT_COMMITTER_NAME="Ada", GIT_COMMITTER_EMAIL="ada@x.io", **who)
        git(self.work, "push", "-q", "-f", "origin", branch)
        return git(self.work, "rev-parse", "HEAD")

    def bot(self, **options: object) -> GitRepositories:
        remote = Remote(
            url=lambda name: f"file://{self.server}/{name}.git",
            protocols=frozenset({"file"}),
            on_request=lambda name, verb: self.requests.append((name, verb)),
            **options,
        )
        return GitRepositories(self.root, remote)

    def branches(self) -> dict[str, str]:
        lines = git(self.bare, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").splitlines()
        return dict(line.split() for line in lines)
