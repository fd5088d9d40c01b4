"""Answers whoever gave a command: by Slack's response URL where that is Slack's, else as a message that only he sees.

Decides which addresses are called (Slack's own host by https, or the host of a configured `api_url`), how often, and that a Slack that
is down loses an answer and nothing else.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

log = structlog.get_logger("slack")

HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
SECONDS = 10


class Answering:
    """Safe for several threads."""

    def __init__(self, client: WebClient, api_url: str) -> None:
        self._client = client
        own = urlsplit(api_url)
        self._own = "" if (own.hostname or "").endswith(("slack.com", "slack-gov.com")) else f"{own.scheme}://{own.netloc}"

    def trusted(self, url: str) -> bool:
        """May this response URL be called? A request, though signed, is no reason to call any host that it names."""
        try:
            parts = urlsplit(url)
            slack = parts.scheme == "https" and parts.hostname in HOSTS and parts.port in (None, 443)
        except ValueError:
            return False
        if parts.username or parts.password:
            return False
        return slack or (bool(self._own) and f"{parts.scheme}://{parts.netloc}" == self._own)

    def answer(self, *, url: str, channel: str, user: str, text: str, blocks: Sequence[dict[str, object]], thread: str = "") -> bool:
        """Only the one who asked sees it. True when Slack took it by one of the two ways."""
        if url and self.trusted(url) and self._by_url(url, text, blocks):
            return True
        if url and not self.trusted(url):
            log.warning("slack.response_url_refused", host=_host(url))
        if not channel or not user:
            return False
        try:
            self._client.chat_postEphemeral(channel=channel, user=user, text=text, blocks=list(blocks), thread_ts=thread or None)
        except (SlackApiError, SlackClientError, OSError, ValueError) as error:
            log.warning("slack.answer_lost", reason=type(error).__name__)
            return False
        return True

    def ask(self, trigger: str, view: dict[str, object]) -> bool:
        """Open a window at whoever pressed; Slack allows it for three seconds. False when it did not open."""
        try:
            self._client.views_open(trigger_id=trigger, view=view)
        except (SlackApiError, SlackClientError, OSError, ValueError) as error:
            log.warning("slack.window_not_opened", reason=type(error).__name__)
            return False
        return True

    def _by_url(self, url: str, text: str, blocks: Sequence[dict[str, object]]) -> bool:
        try:
            taken = WebhookClient(url, timeout=SECONDS).send(
                text=text, blocks=list(blocks), response_type="ephemeral", replace_original=False
            )
        except (SlackApiError, SlackClientError, OSError, ValueError) as error:
            log.warning("slack.response_url_failed", reason=type(error).__name__)
            return False
        return taken.status_code == 200


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
