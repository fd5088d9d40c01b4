"""Where an environment repository is fetched from and pushed to: its address, our credentials, and what a refusal means.

Decides which addresses are allowed at all, and that a token which was refused is asked for once more.
It leaves to others when the network is used.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from bot.adapters.git_errors import Asked, Trouble, trouble
from bot.adapters.git_process import GitAnswer, environment, run_git
from bot.adapters.redact import redact
from bot.domain.errors import UserError

NETWORK_LIMIT = timedelta(seconds=120)
LONGEST_BRANCH = 200

_NAME = re.compile(r"(?!-)[A-Za-z0-9_.-]{1,100}/(?!\.{1,2}\Z)[A-Za-z0-9_.-]{1,100}\Z")
_BAD_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)|\A[/.-]|[/.]\Z|\A@\Z|\A(?:refs/|HEAD\Z)")


class Tokens(Protocol):
    """Where the token for git's Basic authentication comes from."""

    def token(self) -> str:
        """A token that is good for some minutes more; "" for none."""
        ...

    def discard(self, token: str) -> None:
        """The server refused this token: do not hand it out again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """`url` makes the address of "owner/name". `on_request` is told repository and verb (fetch, push) of each network call."""

    url: Callable[[str], str]
    protocols: frozenset[str] = frozenset({"https"})
    plain_http: bool = False
    tokens: Tokens | None = None
    limit: timedelta = NETWORK_LIMIT
    on_request: Callable[[str, str], None] | None = None

    def address(self, repository: str) -> str:
        """The checked address; `UserError` when the name or the address is one that git must not be given."""
        if not _NAME.match(repository):
            raise UserError(f"'{repository[:80]!a}' is not a repository name.", fix="Write it as owner/name.", code="RepositoryName")
        url = self.url(repository)
        parts = urlsplit(url)
        if parts.scheme not in self.protocols or parts.username is not None or parts.password is not None:
            raise UserError(
                f"The address of {repository} may not be used by git.",
                where=redact(url),
                fix=f"Use one of {', '.join(sorted(self.protocols))}, without a user or password in it.",
                code="Transport",
            )
        if parts.scheme == "http" and not self.plain_http and not _loopback(parts.hostname or ""):
            raise UserError(
                f"The address of {repository} is plain http; tokens would travel unprotected.",
                where=redact(url),
                fix="Use https.",
                code="Transport",
            )
        return url

    def asked(self, repository: str, *, write: bool) -> Asked:
        return Asked(repository=repository, host=urlsplit(self.url(repository)).hostname or "the remote", write=write)

    def local_env(self) -> dict[str, str]:
        """For processes that read and write only the clone: no protocol, no token."""
        return environment(())

    def talk(self, directory: Path, repository: str, arguments: Sequence[str], *, verb: str) -> GitAnswer:
        """Run a fetch or push with credentials; where they are refused, once more with fresh ones (nothing had happened then).

        The answer's texts are redacted.
        """
        url = self.address(repository)
        token = self._token()
        answer = self._once(directory, repository, arguments, verb=verb, url=url, token=token)
        if answer.ok or not token or self.tokens is None or trouble(answer.err) is not Trouble.AUTH:
            return answer
        self.tokens.discard(token)
        fresh = self._token()
        if fresh in ("", token):
            return answer
        return self._once(directory, repository, arguments, verb=verb, url=url, token=fresh)

    def _token(self) -> str:
        return self.tokens.token() if self.tokens is not None else ""

    def _once(self, directory: Path, repository: str, arguments: Sequence[str], *, verb: str, url: str, token: str) -> GitAnswer:
        if self.on_request is not None:
            self.on_request(repository, verb)
        parts = urlsplit(url)
        env: Mapping[str, str] = environment(self.protocols, url=f"{parts.scheme}://{parts.netloc}/", token=token)
        answer = run_git(directory, arguments, env=env, limit=self.limit)
        return replace(answer, err=redact(answer.err, [token]))


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_branch(name: str) -> None:
    """`UserError` unless git accepts the name as a branch (`git check-ref-format --branch`) and it is short enough for every forge."""
    if not name or len(name.encode("utf-8", "replace")) > LONGEST_BRANCH or _BAD_BRANCH.search(name):
        raise UserError(f"{name[:80]!a} is not a branch name that git takes.", fix="Rename the service or the stage.", code="BranchName")
