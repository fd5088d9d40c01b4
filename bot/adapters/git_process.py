"""Run one git process: clean environment, no prompt, no hook, a time limit, and no secret outside of the environment.

Decides how git is called, from the protocols that are allowed and a token. What to call and what an error means is left to others.
"""

import base64
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.domain.errors import TransientError, UserError
from bot.tracing import span

PASSED_ON = (
    "PATH",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
)
LOCAL_LIMIT = timedelta(seconds=60)

_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.attributesFile": "/dev/null",
    "core.fsmonitor": "false",
    "core.askPass": "",
    "core.quotePath": "false",
    "credential.helper": "",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "30",
    "transfer.bundleURI": "false",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "push.recurseSubmodules": "no",
    "push.gpgSign": "false",
    "commit.gpgSign": "false",
    "log.showSignature": "false",
    "log.mailmap": "false",
    "i18n.logOutputEncoding": "UTF-8",
    "diff.renames": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.version": "2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GitAnswer:
    """What one git process said. `timed_out`: it was killed at its time limit."""

    status: int
    out: bytes
    err: str
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        return self.status == 0 and not self.timed_out


def environment(protocols: Iterable[str], *, url: str = "", token: str = "", inherited: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a git process. The token travels only here, as a header bound to `url`'s host.

    Redirects are not followed, so that the header cannot reach another host; a renamed repository is told instead.
    """
    source = os.environ if inherited is None else inherited
    child = {name: source[name] for name in PASSED_ON if name in source}
    settings = dict(_SETTINGS)
    if token:
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        settings[f"http.{url}.extraHeader"] = f"Authorization: Basic {basic}"
    child.update(
        {
            "LC_ALL": "C",
            "HOME": "/nonexistent",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": ":".join(sorted(protocols)),
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
    )
    for number, (key, value) in enumerate(settings.items()):
        child[f"GIT_CONFIG_KEY_{number}"] = key
        child[f"GIT_CONFIG_VALUE_{number}"] = value
    return child


def run_git(
    directory: Path, arguments: Sequence[str], *, env: Mapping[str, str], feed: bytes = b"", limit: timedelta = LOCAL_LIMIT
) -> GitAnswer:
    """Run git in a bare repository and wait for it, at most `limit`; then it and its children are killed.

    `UserError` when there is no git, `TransientError` when the machine cannot start a process now.
    """
    with span("git", command=next((word for word in arguments if not word.startswith("-")), "")):
        return _run(directory, arguments, env, feed, limit)


def _run(directory: Path, arguments: Sequence[str], env: Mapping[str, str], feed: bytes, limit: timedelta) -> GitAnswer:
    try:
        process = subprocess.Popen(
            ["git", f"--git-dir={directory}", *arguments],
            env=dict(env),
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise UserError("The command 'git' is not installed.", fix="Install git 2.39 or newer.", code="NoGit") from error
    except OSError as error:
        raise TransientError(f"git could not be started: {error.strerror}") from error
    try:
        out, err = process.communicate(feed, timeout=limit.total_seconds())
    except subprocess.TimeoutExpired:
        _kill(process)
        out, err = process.communicate()
        return GitAnswer(status=-1, out=out, err=err.decode("utf-8", "replace"), timed_out=True)
    except BaseException:
        _kill(process)
        process.communicate()
        raise
    return GitAnswer(status=process.returncode, out=out, err=err.decode("utf-8", "replace"))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole group: git's transport runs as a child of git."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
