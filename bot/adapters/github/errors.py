"""GitHub's error table: which of our errors an answer is.

Decides from status, headers and GitHub's words, and from what was asked. The texts are GitHub's own (OpenAPI examples, and the tables
that other bots keep of them); where the words are unknown the status decides. Sentences name the permission or setting to change.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.adapters.github.reply import Ask, Reply
from bot.adapters.redact import redact
from bot.domain.errors import BotError, OutcomeUnknown, RateLimited, Refused, Stale, TransientError, UserError

SECONDARY_PAUSE = timedelta(seconds=60)
SHOWN = 400

PULL_EXISTS = "PullExists"
CLEAN_STATUS = "CleanStatus"
UNKNOWN_ACCOUNT = "UnknownAccount"
NOT_FOUND = "NotFound"

_LIMIT = re.compile(r"rate limit|abuse detection|submitted too quickly|too many requests", re.IGNORECASE)
_SECONDARY = re.compile(r"secondary rate limit|abuse detection|submitted too quickly", re.IGNORECASE)
_PERMISSION = re.compile(r"resource not accessible|must have|not have (?:the )?(?:correct )?permission|not authorized", re.IGNORECASE)
_SUSPENDED = re.compile(r"suspended", re.IGNORECASE)
_METHOD = re.compile(r"(merge commits?|squash(?: merge)?s?|rebase(?: merge)?s?|merges?) (?:are|is) not allowed|merge method", re.IGNORECASE)
_STALE_TEXT = re.compile(
    r"was modified|expected .* to (?:match|point)|no commits between|reference already exists|already exists in the repository"
    r"|not a fast.forward|reference does not exist|stale|head sha|is out of date",
    re.IGNORECASE,
)
_AUTO_MERGE = re.compile(r"auto.?merge is not allowed", re.IGNORECASE)
_NOT_MERGEABLE = re.compile(r"not mergeable|merge conflict", re.IGNORECASE)


def answer_error(reply: Reply, ask: Ask, *, now: datetime) -> BotError:
    """The error that a REST answer means, 2xx with an unreadable body included. `now` measures `x-ratelimit-reset`."""
    if reply.status < 300 or reply.status >= 500 or reply.status == 408:
        state = f"answered {reply.status}" if reply.status >= 300 else "sent something that is not JSON"
        return _lost(f"GitHub {state} when we wanted to {ask.doing}", ask)
    limited = rate_limit(reply, now=now)
    if limited is not None:
        return limited
    words = redact(reply.message)[:SHOWN]
    match reply.status:
        case 301 | 302 | 303 | 307 | 308:
            return moved(ask)
        case 401:
            return _unauthenticated(words, ask)
        case 403:
            return forbidden(words, ask, reply.headers)
        case 404 | 410:
            return missing(words, ask)
        case 405 | 409 | 422:
            return conflict(words, ask, status=reply.status)
        case _:
            return Refused(f"GitHub refused to {ask.doing}: {words or reply.status}", where=ask.where, code=f"GitHub{reply.status}")


def graphql_error(error: Mapping[str, object], ask: Ask, reply: Reply, *, now: datetime) -> BotError:
    """The error that one entry of a GraphQL answer's `errors` means (such answers come with HTTP status 200)."""
    words = redact(str(error.get("message") or ""))[:SHOWN]
    kind = str(error.get("type") or "")
    if kind in ("RATE_LIMITED", "RATE_LIMIT") or _LIMIT.search(words):
        return limited_until(reply.headers, words, now=now)
    match kind:
        case "NOT_FOUND":
            return missing(words, ask)
        case "FORBIDDEN" | "INSUFFICIENT_SCOPES":
            return forbidden(words, ask, reply.headers)
        case "STALE_DATA":
            return Stale(f"GitHub did not {ask.doing}: {words}")
        case "UNPROCESSABLE" | "VALIDATION" | "INVALID":
            return conflict(words, ask, status=422)
        case "SERVICE_UNAVAILABLE" | "INTERNAL" | "INTERNAL_ERROR" | "TIMEOUT":
            return _lost(f"GitHub could not {ask.doing}: {words}", ask)
    if "something went wrong" in words.casefold() or "timed out" in words.casefold() or "timeout" in words.casefold():
        return _lost(f"GitHub could not {ask.doing}: {words}", ask)
    if "resource limits" in words.casefold() or kind == "MAX_NODE_LIMIT_EXCEEDED":
        return TransientError(f"GitHub found the request to {ask.doing} too large: {words}")
    if _PERMISSION.search(words):
        return forbidden(words, ask, reply.headers)
    if _STALE_TEXT.search(words) or _NOT_MERGEABLE.search(words) or "clean status" in words:
        return conflict(words, ask, status=422)
    return Refused(f"GitHub refused to {ask.doing}: {words}", where=ask.where, code="GraphQL")


def rate_limit(reply: Reply, *, now: datetime) -> RateLimited | None:
    """Primary limit, secondary limit, or None when the answer is about something else."""
    if reply.status not in (403, 422, 429):
        return None
    words = reply.message
    spent = reply.headers.get("x-ratelimit-remaining") == "0" and not _PERMISSION.search(words)
    if reply.status == 429 or _LIMIT.search(words) or (reply.status == 403 and (spent or "retry-after" in reply.headers)):
        return limited_until(reply.headers, words, now=now)
    return None


def limited_until(headers: Mapping[str, str], words: str, *, now: datetime) -> RateLimited:
    """How long: `Retry-After`, else the reset of a used-up primary limit by GitHub's own clock, else a minute."""
    pause = SECONDARY_PAUSE
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdigit():
        pause = timedelta(seconds=int(after))
    elif headers.get("x-ratelimit-remaining") == "0" and reset.isdigit() and not _SECONDARY.search(words):
        pause = datetime.fromtimestamp(int(reset), UTC) - (their_time(headers) or now) + timedelta(seconds=1)
    kind = "secondary" if _SECONDARY.search(words) or after else "primary"
    return RateLimited(f"GitHub's {kind} rate limit is reached.", retry_after=max(pause, timedelta(seconds=1)))


def their_time(headers: Mapping[str, str]) -> datetime | None:
    """When the other side sent this, by its own clock (UTC); None where it does not say so."""
    try:
        found = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def forbidden(words: str, ask: Ask, headers: Mapping[str, str]) -> BotError:
    """A missing permission, named by GitHub (`x-accepted-github-permissions`) or by us; or a suspended installation."""
    if _SUSPENDED.search(words):
        return Refused(
            "The installation of our GitHub App is suspended.",
            where=ask.where,
            fix="An owner of the organisation un-suspends it under Settings, GitHub Apps.",
            code="InstallationSuspended",
        )
    accepted = headers.get("x-accepted-github-permissions", "")
    named = " or ".join(", ".join(f.replace("=", ": ").strip() for f in way.split(",")) for way in accepted.split(";"))
    permission = named or ask.needs
    return Refused(
        f"GitHub does not let us {ask.doing}: {words or 'forbidden'}",
        where=ask.where,
        fix=f"Give the App (or the token) the permission '{permission}' and accept the change in the installation.",
        code="MissingPermission",
    )


def missing(words: str, ask: Ask) -> BotError:
    """404 says both "is not there" and "you may not see it"; for what we know to be there it is never taken for a deletion."""
    if "is not a user" in words:
        return Refused(f"GitHub knows no such account: {words}", where=ask.where, code=UNKNOWN_ACCOUNT)
    if ask.known:
        return TransientError(
            f"GitHub does not show {ask.where} when we want to {ask.doing}; if that lasts, check the permission '{ask.needs}'."
        )
    return Refused(
        f"GitHub shows us nothing there when we want to {ask.doing}.",
        where=ask.where,
        fix=f"Check the name, that the App is installed on it, and the permission '{ask.needs}'.",
        code=NOT_FOUND,
    )


def conflict(words: str, ask: Ask, *, status: int) -> BotError:
    """405, 409 and 422: something moved (`Stale`), a rule stands in the way, or a setting is missing (`Refused`)."""
    low = words.casefold()
    if "pull request already exists" in low:
        return Refused(f"GitHub refused to {ask.doing}: {words}", where=ask.where, code=PULL_EXISTS)
    if "clean status" in low:
        return Refused(f"GitHub refused to {ask.doing}: {words}", where=ask.where, code=CLEAN_STATUS)
    if _AUTO_MERGE.search(words):
        return Refused(
            f"GitHub refused to {ask.doing}: {words}",
            where=ask.where,
            fix="Allow auto-merge in the repository's settings, or set `merge: auto` or `merge: manual`.",
            code="AutoMerge",
        )
    if _METHOD.search(words):
        return Refused(
            f"GitHub refused to {ask.doing}: {words}",
            where=ask.where,
            fix="Allow this merge method in the repository's settings, or choose another one in the stage's configuration.",
            code="MergeMethod",
        )
    if "head" in low and "invalid" in low:
        return TransientError(f"GitHub does not see the branch yet when we want to {ask.doing}: {words}")
    if _STALE_TEXT.search(words) or _NOT_MERGEABLE.search(words) or (status == 409 and "empty" not in low):
        return Stale(f"GitHub did not {ask.doing}: {words}")
    if status == 405:
        return Refused(
            f"GitHub refused to {ask.doing}: {words}",
            where=ask.where,
            fix="It is merged when the rule of the branch is met; or let the bot bypass the rule.",
            code="MergeBlocked",
        )
    if "archived" in low or "read-only" in low:
        return Refused(f"The repository is read-only: {words}", where=ask.where, fix="Un-archive it.", code="ReadOnly")
    return Refused(f"GitHub refused to {ask.doing}: {words or status}", where=ask.where, code=f"GitHub{status}")


def moved(ask: Ask) -> UserError:
    return UserError(
        "The repository was renamed or moved: GitHub redirects.",
        where=ask.where,
        fix="Put its new name into the configuration.",
        code="RepositoryMoved",
    )


def _unauthenticated(words: str, ask: Ask) -> Refused:
    return Refused(
        f"GitHub does not accept our credentials: {words or 'unauthorized'}",
        where=ask.where,
        fix="Check the App's id and private key and that it is installed, or that the token has not expired or been revoked.",
        code="GitHubAuth",
    )


def _lost(what: str, ask: Ask) -> BotError:
    return OutcomeUnknown(f"{what}; whether it happened is not known.") if ask.write else TransientError(f"{what}.")
