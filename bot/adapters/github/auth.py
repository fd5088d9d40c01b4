"""Who we are at GitHub: a token, or a GitHub App whose installation tokens are minted and renewed here under one lock.

Decides when a token is renewed: less than five minutes before its end, or after GitHub refused it, and then once only per refusal.
It leaves the requests themselves to `wire.py`. No token or key appears in an error.
"""

import stat
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from github.Auth import AppAuth, Auth

from bot.adapters.github.reading import understood
from bot.adapters.github.reply import Ask
from bot.domain.errors import Refused, UserError
from bot.domain.instants import parse_instant

RENEW_BEFORE = timedelta(minutes=5)
SHORTEST_LIFE = timedelta(minutes=1)


class Credentials(Protocol):
    """Hands out tokens to requests and to git. `is_app` decides between check runs and commit statuses."""

    is_app: bool

    def token(self) -> str:
        """A token that is good for some minutes more."""
        ...

    def discard(self, token: str) -> None:
        """GitHub refused this token."""
        ...


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A token of a machine user: it never changes while we run."""

    value: str
    is_app = False

    def token(self) -> str:
        return self.value

    def discard(self, token: str) -> None:
        """Nothing else can be tried."""

    def __repr__(self) -> str:
        return "PersonalToken()"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppKey:
    """A GitHub App: its id, its private key (PEM), and its installation where the App has more than one."""

    app_id: int
    private_key: str
    installation: int | None = None

    def __repr__(self) -> str:
        return f"AppKey(app_id={self.app_id})"


AppCall = Callable[[Auth, str, str, Ask], Mapping[str, Any]]


class AppInstallation:
    """A GitHub App, installed once. `send(auth, verb, path, ask)` sends one request as the App itself and answers with its JSON."""

    is_app = True

    def __init__(self, *, app_id: int, private_key: str, installation: int | None, send: AppCall, clock: Callable[[], datetime]) -> None:
        self._app_id = app_id
        self._private_key = private_key
        self._installation = installation
        self._send = send
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at: datetime | None = None
        self._slug = ""
        self._granted: Mapping[str, str] = {}

    def token(self) -> str:
        """The installation's token; the first caller after its time mints the next one, all others wait for that one."""
        with self._lock:
            if not self._token or self._renew_at is None or self._clock() >= self._renew_at:
                self._mint()
            return self._token

    def discard(self, token: str) -> None:
        """Mint anew at the next call, unless another caller has done so already."""
        with self._lock:
            if self._token == token:
                self._token = ""

    def slug(self) -> str:
        """The App's name in addresses; its login is this with "[bot]"."""
        if not self._slug:
            ask = Ask(doing="read which App we are", where="the App", needs="metadata: read")
            answer = self.call("GET", "/app", ask)
            with understood("our App"):
                self._slug = str(answer["slug"])
        return self._slug

    def _mint(self) -> None:
        ask = Ask(doing="get a token for the installation", where="the App's installation", needs="metadata: read")
        if self._installation is None:
            self._installation = self._only_installation()
        answer = self.call("POST", f"/app/installations/{self._installation}/access_tokens", ask)
        with understood("the installation's token"):
            self._renew_at = max(parse_instant(answer["expires_at"]) - RENEW_BEFORE, self._clock() + SHORTEST_LIFE)
            self._token = str(answer["token"])
            self._granted = {str(name): str(level) for name, level in (answer.get("permissions") or {}).items()}

    def granted(self) -> Mapping[str, str]:
        """What the installation may do, by GitHub's names ("contents": "write"), as its last token was told."""
        self.token()
        return self._granted

    def _only_installation(self) -> int:
        ask = Ask(doing="list the App's installations", where="the App", needs="metadata: read")
        answer = self.call("GET", "/app/installations?per_page=100", ask)
        with understood("the App's installations"):
            found = {int(item["id"]): str(item["account"]["login"]) for item in answer["items"]}
        if len(found) == 1:
            return next(iter(found))
        raise UserError(
            f"The GitHub App is installed on {', '.join(sorted(found.values())) or 'no account'}; it must be known which one is ours.",
            fix="Set the installation id, or install the App on exactly one account.",
            code="Installation",
        )

    def call(self, verb: str, path: str, ask: Ask) -> Mapping[str, Any]:
        """One request as the App itself, not as its installation; a list comes under "items"."""
        try:
            auth = AppAuth(self._app_id, self._private_key)
            auth.create_jwt()
        except Exception as error:  # jwt and cryptography raise their own trees; the text may quote the key
            raise Refused(
                f"The App's private key cannot be used ({type(error).__name__}).",
                fix="Give the PEM file that GitHub made under the App's settings, unchanged.",
                code="PrivateKey",
            ) from None
        return self._send(auth, verb, path, ask)


class BearerAuth(Auth):
    """PyGithub's view of our credentials: asks for the token at every request, and remembers which one it handed out."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self.used = ""

    @property
    def token_type(self) -> str:
        return "token"

    @property
    def token(self) -> str:
        self.used = self._credentials.token()
        return self.used


def read_private_key(path: Path) -> str:
    """The App's key from its file. `UserError` when it cannot be read, or every account of the machine can read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The App's private key cannot be read ({type(error).__name__}).", where=str(path), code="PrivateKey") from None
    if mode & (stat.S_IRWXO & ~stat.S_IXOTH):
        raise UserError(
            "Every account of this machine can read the App's private key.",
            where=str(path),
            fix=f"chmod 600 {path} (in Kubernetes: defaultMode 0440 on the secret's volume).",
            code="PrivateKeyMode",
        )
    return text
