"""What git's words mean: which of our errors an unsuccessful git process is.

Decides from the text that git and the server printed (in the C locale) and from what was asked. The texts are git's
(`remote-curl.c`, `send-pack.c`, `builtin/push.c`) and GitHub's (GH001 to GH013).
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.adapters.git_process import GitAnswer
from bot.domain.errors import BotError, OutcomeUnknown, RateLimited, Refused, Stale, TransientError, UserError

SHOWN = 300


class Trouble(StrEnum):
    """Kinds of failure that call for another way than telling somebody."""

    AUTH = "auth"
    DISK = "disk"
    CORRUPT = "corrupt"
    OTHER = "other"


_NOT_SENT = (
    "could not resolve host",
    "couldn't connect to server",
    "failed to connect",
    "connection refused",
    "network is unreachable",
    "no route to host",
    "could not resolve proxy",
)
_NETWORK = (
    *_NOT_SENT,
    "connection reset",
    "connection timed out",
    "operation timed out",
    "operation too slow",
    "recv failure",
    "send failure",
    "empty reply from server",
    "rpc failed",
    "early eof",
    "hung up unexpectedly",
    "unexpected disconnect",
    "transfer closed",
    "http/2 stream",
    "the requested url returned error: 5",
    "invalid server response",
    "bad line length",
    "protocol error",
    "expected flush after ref listing",
    "not valid: is this a git repository",
    "unable to access",
)
_AUTH = ("authentication failed", "could not read username", "could not read password", "returned error: 401")
_FORBIDDEN = ("returned error: 403", "permission to", "write access to repository not granted")
_MISSING = ("repository not found", "returned error: 404", "does not appear to be a git repository", "not found")
_MOVED = re.compile(r"returned error: 30[1278]|unable to update url base from redirection")
_PAUSE = ("returned error: 429", "rate limit")
_CORRUPT = (
    "not a git repository",
    "is corrupt",
    "corrupt loose object",
    "bad object",
    "does not point to a valid object",
    "unable to read",
    "missing blob object",
    "missing tree object",
    "missing commit object",
    "inflate:",
    "packfile",
    "object file",
    "bad pack",
    "unable to find",
    "could not parse",
    "unable to parse",
    "bad config",
    "unable to create",
    "cannot lock ref",
    "unable to resolve reference",
    "index file",
    "missing necessary objects",
    "remote did not send all necessary objects",
    "unknown repository extension",
    "expected git repo version",
    "unable to map",
    "cannot store",
)
_DISK = ("no space left on device", "disk quota exceeded", "read-only file system", "permission denied", "too many open files")
_STALE_REF = re.compile(
    r"\((?:stale info|fetch first|non-fast-forward|needs force|already exists|failed to update ref|failed to lock"
    r"|reference already exists|cannot lock ref[^)]*|incorrect old value provided)\)"
)
_PROTECTED = re.compile(r"GH\d{3}|protected branch|rule violations|hook declined|prohibited|deny(?:ing)?\b|denied by|refusing to")
_WORKFLOW = re.compile(r"without `?workflows?`? (?:permission|scope)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of the remote: for messages, and whether a lost answer may hide a write. `err` texts come redacted."""

    repository: str
    host: str
    write: bool = False


def trouble(err: str) -> Trouble:
    """Whether another token, or another clone, may help."""
    low = err.lower()
    if any(sign in low for sign in _AUTH):
        return Trouble.AUTH
    if "remote:" not in low and any(sign in low for sign in _DISK):
        return Trouble.DISK
    if "unable to access" not in low and any(sign in low for sign in _CORRUPT):
        return Trouble.CORRUPT
    return Trouble.OTHER


def remote_error(answer: GitAnswer, asked: Asked) -> BotError:
    """The error that a failed fetch or push raises."""
    err = answer.err
    low = err.lower()
    where = asked.repository
    said = sentence(err)
    if answer.timed_out:
        return _lost(f"git did not finish in time with {asked.host}", asked)
    if trouble(err) is Trouble.DISK:
        return disk_error(said)
    if any(sign in low for sign in _PAUSE):
        return RateLimited(f"{asked.host} asks for a pause of git requests: {said}", retry_after=timedelta(seconds=60))
    if any(sign in low for sign in _AUTH):
        return Refused(
            f"{asked.host} did not accept our credentials for git.",
            where=where,
            fix="Check that the App is installed and not suspended, or that the token has not expired or been revoked.",
            code="GitAuth",
        )
    if _MOVED.search(low):
        return UserError(
            "The repository was renamed or moved: the server redirects.",
            where=where,
            fix="Put its new name into the configuration.",
            code="RepositoryMoved",
        )
    if any(sign in low for sign in _FORBIDDEN):
        right = "contents: write" if asked.write else "contents: read"
        return Refused(
            f"{asked.host} does not let us {'write to' if asked.write else 'read'} this repository.",
            where=where,
            fix=f"Give the App or the token the permission '{right}' on it, and accept the change in the installation.",
            code="GitForbidden",
        )
    if "certificate" in low or "ssl" in low:
        return UserError(
            f"The certificate of {asked.host} is not trusted: {said}",
            where=where,
            fix="Put the certificate of your authority into the file that SSL_CERT_FILE or GIT_SSL_CAINFO names.",
            code="Certificate",
        )
    if any(sign in low for sign in _MISSING) and "could not resolve" not in low:
        return Refused(
            f"{asked.host} knows no such repository, or does not show it to us.",
            where=where,
            fix="Check its name, and that the App is installed on it with the permission 'contents: read'.",
            code="RepositoryNotFound",
        )
    if "transport" in low and "not allowed" in low:
        return UserError(f"git's transport is not allowed: {said}", where=where, fix="Use an https address.", code="Transport")
    if any(sign in low for sign in _NOT_SENT):
        return TransientError(f"{asked.host} cannot be reached: {said}")
    if any(sign in low for sign in _NETWORK):
        return _lost(f"the git connection to {asked.host} broke: {said}", asked)
    return _lost(f"git failed with {asked.host}: {said}", asked)


def push_error(answer: GitAnswer, asked: Asked) -> BotError:
    """The error of a push: refs that stood elsewhere, rules of the forge, else as `remote_error`."""
    text = answer.out.decode("utf-8", "replace") + answer.err
    flags = [line for line in text.splitlines() if line.startswith("!\t")]
    if _WORKFLOW.search(text):
        return Refused(
            "The forge does not let us change workflow files.",
            where=asked.repository,
            fix="Give the App or the token the permission 'workflows: write', or promote outside of .github/workflows.",
            code="WorkflowsPermission",
        )
    rejected = [line for line in flags if "remote rejected" in line and "atomic" not in line and not _STALE_REF.search(line)]
    if rejected and _PROTECTED.search(text):
        return Refused(
            f"A rule of the forge forbids this push: {sentence(answer.err) or sentence(rejected[0])}",
            where=asked.repository,
            fix="Let the bot bypass the rule on this branch, or choose reverts and promotions by pull request.",
            code="ProtectedBranch",
        )
    if any(_STALE_REF.search(line) for line in flags) or "remote ref does not exist" in text:
        return Stale(f"A branch of {asked.repository} moved since it was read; nothing was pushed.")
    if any("unpacker error" in line or "internal" in line for line in rejected):
        return TransientError(f"{asked.host} could not take the push: {sentence(answer.err)}")
    if rejected:
        return Refused(f"The forge refused the push: {sentence(rejected[0])}", where=asked.repository, code="PushRejected")
    return remote_error(answer, asked)


def disk_error(said: str) -> UserError:
    """Our own disk is the matter, not the repository."""
    return UserError(
        f"git cannot write to the bot's data folder: {said}",
        fix="Make room on its disk, and let the bot's user write there.",
        code="DataFolder",
    )


def _lost(what: str, asked: Asked) -> BotError:
    return OutcomeUnknown(what) if asked.write else TransientError(what)


def sentence(err: str) -> str:
    """The line of git's output that says most: the server's own error, else the first fatal one; without prefixes, cut to a length."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    for sign in ("remote: error: ", "remote: fatal: ", "fatal: ", "error: ", "!\t"):
        for line in lines:
            if line.startswith(sign):
                return line.removeprefix(sign).replace("\t", " ")[:SHOWN]
    return (lines[0] if lines else "no reason given")[:SHOWN]
