"""The Slack sink, whole: a workspace, its Web API on loopback, a page, and people who act in it.

Decides how the parts are put together. Slack's own TLS and hosts are left out: point a client's base URL at `api_url`.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from bot.sandbox.slack.acting import Ack, People
from bot.sandbox.slack.listener import Listener
from bot.sandbox.slack.replies import Replies
from bot.sandbox.slack.server import SlackServer
from bot.sandbox.slack.workspace import Call, Message, Obj, Workspace


def wall_clock() -> datetime:
    """The machine's time in UTC."""
    return datetime.now(UTC)


class SlackSandbox:
    """A workspace on loopback. `request_url`: where commands, buttons and events go; empty for Socket Mode."""

    def __init__(self, *, clock: Callable[[], datetime] = wall_clock, request_url: str = "", port: int = 0) -> None:
        self.workspace = Workspace(clock)
        self._replies = Replies(self.workspace)
        self.server = SlackServer(self.workspace, self._replies)
        self.people = People(self.workspace, self.server, self._replies)
        self.people.request_url = request_url
        self._listener = Listener(self.server.application, name="slack", port=port)
        self.server.url = self._listener.url

    def start(self) -> None:
        """Serves."""
        self._listener.start()

    def stop(self) -> None:
        """Ends serving."""
        self._listener.stop()

    def __enter__(self) -> "SlackSandbox":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The page's address."""
        return self._listener.url

    @property
    def api_url(self) -> str:
        """The base URL for slack_sdk: ends with `/api/`."""
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        """The app's bot token."""
        return self.workspace.bot_token

    @property
    def app_token(self) -> str:
        """The app's token for Socket Mode."""
        return self.workspace.app_token

    @property
    def signing_secret(self) -> str:
        """What requests to the app are signed with."""
        return self.workspace.signing_secret

    def add_user(self, name: str, **more: object) -> str:
        """A member; answers the id."""
        return self.workspace.add_user(name, **more)  # type: ignore[arg-type]

    def add_channel(self, name: str, *, member: bool = True) -> str:
        """A channel, with the app in it; answers the id."""
        return self.workspace.add_channel(name, member=member)

    def messages(self, channel: str = "") -> list[Message]:
        """All messages, oldest first; those of one channel (id or name)."""
        with self.workspace.lock:
            found = self.workspace.channel(channel) if channel else None
            if channel and found is None:
                return []
            return [one for one in self.workspace.messages if found is None or one.channel == found.id]

    def calls(self, method: str = "") -> list[Call]:
        """The requests so far, all or of one method."""
        with self.workspace.lock:
            return [one for one in self.workspace.calls if method in ("", one.method)]

    def slash(self, user: str, channel: str, command: str, text: str = "") -> Ack:
        """A user types a slash command."""
        return self.people.slash(user, channel, command, text)

    def press(self, user: str, message: Message, action_id: str, *, value: str | None = None) -> Ack:
        """A user presses a button."""
        return self.people.press(user, message, action_id, value=value)

    def submit(self, user: str, view_id: str, values: dict[str, dict[str, Obj]]) -> Ack:
        """A user submits a view."""
        return self.people.submit(user, view_id, values)

    def fault(self, kind: str, *, method: str = "", times: int = 1, seconds: float = 1.0) -> None:
        """The next calls fail: `ratelimited`, `delay`, `status:503`, `applied_then_500`, or an error code of Slack's."""
        self.server.faults.extend((method, kind, seconds) for _ in range(times))
