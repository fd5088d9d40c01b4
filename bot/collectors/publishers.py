"""May this publisher tell of this version? Decides from what its token says, or which fixed token it showed, and the configuration."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from bot.config.artifacts import Publisher
from bot.domain.errors import Unauthorised

FOREIGN = frozenset({"pull_request", "pull_request_target"})
"""GitHub's events whose runs speak in the name of a branch of the repository while they may carry a fork's code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who tells: the publisher it counts as, and its name for people (`acme/payments@refs/heads/main`)."""

    publisher: Publisher
    name: str


def by_token(shown: str, publishers: Sequence[Publisher], secret: Callable[[str], str]) -> Bearer | None:
    """The publisher whose fixed token this is; every one is compared, in constant time. None when it is nobody's.

    `secret` gives the token of a name, or nothing where it is not set.
    """
    found: Bearer | None = None
    for publisher in publishers:
        if publisher.kind != "token":
            continue
        held = secret(publisher.credential)
        if held and hmac.compare_digest(held.encode(), shown.encode()) and found is None:
            found = Bearer(publisher=publisher, name=publisher.credential)
    return found


def by_claims(claims: Mapping[str, Any], publishers: Sequence[Publisher]) -> Bearer:
    """The publisher that a verified token's repository and ref belong to. `Unauthorised` says what was wrong."""
    repository, ref = _place(claims)
    name = f"{repository}@{ref}"
    event = str(claims.get("event_name", ""))
    if event in FOREIGN:
        what = f"{name} may not tell of new versions in a run for {event}: it may hold a stranger's code."
        raise Unauthorised(what, where="artifacts.publishers", fix="tell of them in a run for a push, a tag or a release")
    for publisher in publishers:
        in_repositories = any(fnmatchcase(repository.lower(), pattern.lower()) for pattern in publisher.repositories)
        if in_repositories and any(fnmatchcase(ref, pattern) for pattern in publisher.refs):
            return Bearer(publisher=publisher, name=name)
    raise Unauthorised(
        f"{name} may not tell of new versions.",
        where="artifacts.publishers",
        fix="whoever runs the bot may add its repository and ref there",
    )


def check_image(bearer: Bearer, image: str) -> None:
    """`Unauthorised` unless the publisher may tell of this image (its normal name)."""
    if not any(fnmatchcase(image, pattern) for pattern in bearer.publisher.images):
        raise Unauthorised(
            f"{bearer.name} may not tell of {image}.", where="artifacts.publishers", fix="whoever runs the bot may add it to its `images`"
        )


def _place(claims: Mapping[str, Any]) -> tuple[str, str]:
    """The repository and the full ref that a token of GitHub or GitLab speaks for; a pull request's is no branch of the repository."""
    if isinstance(claims.get("repository"), str):
        return str(claims["repository"]), str(claims.get("ref", ""))
    kinds = {"branch": "refs/heads/", "tag": "refs/tags/"}
    kind = kinds.get(str(claims.get("ref_type", "")))
    return str(claims.get("project_path", "")), f"{kind}{claims.get('ref', '')}" if kind else ""
