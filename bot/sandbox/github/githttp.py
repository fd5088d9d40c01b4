"""git's smart HTTP protocol, through `git http-backend`, with tokens.

Decides who may fetch and push, and turns a finished push into the events of the refs that moved. The protection of
branches is asked in git's own `update` hook (`update_hook.py`), so that a refused ref leaves the others alone.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.github.access import LEVEL, RANK, Caller, app_permissions, identify, role_of, sees
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.git import ZERO, environment
from bot.sandbox.github.service import refs
from bot.sandbox.github.service.rules import PULL_ONLY, UNSIGNED, missing_checks
from bot.sandbox.github.state import Protection, Repository
from bot.sandbox.github.world import World

REFUSED = b"hook declined"
REFUSED_AS_GITHUB = b"protected branch hook declined"


@dataclass(slots=True, kw_only=True)
class GitAnswer:
    """Status, headers and body of one git request; `caller` for the ledger."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    caller: str = "anonymous"


def serve_git(world: World, *, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> GitAnswer:
    """Answer one git request; `path` is `/owner/name.git/...`. A push holds the world's lock until its events are out."""
    pushing = path.endswith("/git-receive-pack") or "service=git-receive-pack" in query
    home, _, inside = path.lstrip("/").partition(".git/")
    with world.lock:
        try:
            caller, repository = _admit(world, home, headers, pushing=pushing)
        except ApiError as error:
            asks = [("www-authenticate", 'Basic realm="GitHub"')] if error.status == 401 else []
            return GitAnswer(status=error.status, headers=[*asks, ("content-type", "text/plain")], body=error.message.encode())
        if path.endswith("/git-receive-pack") and caller is not None:
            return _push(world, repository, caller, method, inside, query, headers, body)
    answer = _backend(repository, method, inside, query, headers, body, {})
    answer.caller = caller.bucket() if caller else "anonymous"
    return answer


def _admit(world: World, home: str, headers: Mapping[str, str], *, pushing: bool) -> tuple[Caller | None, Repository]:
    caller = identify(world, headers.get("authorization"))
    repository = world.repositories.get(world.renamed.get(home.lower(), home.lower()))
    if repository is None or not sees(world, caller, repository):
        if caller is None:
            raise ApiError(401, "Repository not found.")
        raise ApiError(404, "Repository not found.")
    if caller is None and pushing:
        raise ApiError(401, "Authentication required.")
    if caller is None:
        return caller, repository
    if caller.installation is not None:
        able = LEVEL[app_permissions(caller).get("contents", "none")] >= LEVEL["write" if pushing else "read"]
    else:
        able = RANK[role_of(world, repository, caller.account)] >= RANK["write" if pushing else "read"]
    if not able:
        who = caller.account.login
        verb = f"Permission to {repository.full_name}.git denied to {who}." if pushing else "Write access to repository not granted."
        raise ApiError(403, verb)
    if pushing and repository.settings.archived:
        raise ApiError(403, "This repository was archived so it is read-only.")
    return caller, repository


def _push(
    world: World, repository: Repository, caller: Caller, method: str, inside: str, query: str, headers: Mapping[str, str], body: bytes
) -> GitAnswer:
    before = repository.git.refs("refs/")
    rules = _hook_rules(repository, caller)
    if rules:
        install_hook(repository.git.path)
    answer = _backend(repository, method, inside, query, headers, body, {"SANDBOX_RULES": json.dumps(rules)})
    after = repository.git.refs("refs/")
    names = sorted(before.keys() | after.keys())
    changes = [(ref, before.get(ref, ZERO), after.get(ref, ZERO)) for ref in names if before.get(ref) != after.get(ref)]
    refs.moved(world, repository, caller, changes)
    answer.body = github_words(answer.body) if rules else answer.body
    answer.caller = caller.bucket()
    return answer


def _hook_rules(repository: Repository, caller: Caller) -> dict[str, dict[str, object]]:
    """What the hook is told of each protected branch that this caller must respect."""
    login = caller.account.login.lower()
    return {
        f"refs/heads/{branch}": _hook_rule(repository, protection)
        for branch, protection in repository.protections.items()
        if login not in (name.lower() for name in protection.bypass)
    }


def _hook_rule(repository: Repository, protection: Protection) -> dict[str, object]:
    refuse = [text for asked, text in ((protection.forbids_push(), PULL_ONLY), (protection.signatures, UNSIGNED)) if asked]
    reported = {status.sha for status in repository.statuses} | {run.head_sha for run in repository.check_runs.values()}
    return {
        "refuse": refuse,
        "checks": missing_checks(repository, protection, ZERO),
        "green": [sha for sha in reported if missing_checks(repository, protection, sha) is None],
        "force": protection.allow_force,
        "delete": protection.allow_deletion,
    }


def install_hook(path: Path) -> None:
    """Put the `update` hook into a bare repository, once. The interpreter is found on PATH: its own path may be too long for a shebang."""
    hook = path / "hooks" / "update"
    if hook.exists():
        return
    source = Path(__file__).with_name("update_hook.py").read_text(encoding="utf-8")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/usr/bin/env python3\n{source}", encoding="utf-8")
    hook.chmod(0o755)


def _backend(
    repository: Repository, method: str, inside: str, query: str, headers: Mapping[str, str], body: bytes, extra: Mapping[str, str]
) -> GitAnswer:
    """Run http-backend over the whole request: its answer cannot come before the request has been read."""
    variables = {
        "GIT_PROJECT_ROOT": str(repository.git.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{inside}",
        "QUERY_STRING": query,
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "REMOTE_USER": "git",
        "REMOTE_ADDR": "127.0.0.1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    done = subprocess.run(["git", "http-backend"], input=body, env=environment(variables | dict(extra)), capture_output=True, check=False)
    head, _, rest = done.stdout.partition(b"\r\n\r\n")
    answer = GitAnswer(status=200 if head else 500, body=rest)
    for line in head.decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            answer.status = int(value.split()[0])
        else:
            answer.headers.append((name.strip().lower(), value.strip()))
    return answer


def github_words(body: bytes) -> bytes:
    """A push's answer with GitHub's reason for refs that the hook refused.

    The report stands inside side-band packets (band 1), itself as packets: both lengths change with the words.
    """
    bands: list[bytes] = []
    report = b""
    for packet in packets(body):
        if packet[:1] == b"\x01":
            report += packet[1:]
        else:
            bands.append(packet)
    if not report:
        return body
    lines = [line.rstrip(b"\n") for line in packets(report)]
    reworded = [
        line[: -len(REFUSED)] + REFUSED_AS_GITHUB if line.startswith(b"ng ") and line.endswith(b" " + REFUSED) else line for line in lines
    ]
    inner = b"".join(packet_line(line + b"\n") for line in reworded) + b"0000"
    return b"".join(packet_line(packet) for packet in bands) + packet_line(b"\x01" + inner) + b"0000"


def packets(data: bytes) -> list[bytes]:
    """The packets of a pkt-line stream, without flushes."""
    found, position = [], 0
    while position + 4 <= len(data):
        size = int(data[position : position + 4], 16)
        if size >= 4:
            found.append(data[position + 4 : position + size])
        position += max(size, 4)
    return found


def packet_line(data: bytes) -> bytes:
    """One packet."""
    return f"{len(data) + 4:04x}".encode() + data


def basic(token: str) -> str:
    """The `Authorization` header of a git client with this token."""
    return "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()
