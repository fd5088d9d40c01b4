"""Pages that a forge says lie elsewhere are not followed, and what proves who we are is shown to nobody else."""

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest
from github.Auth import Token

from bot.adapters.github.budget import Budget
from bot.adapters.github.ledger import Ledger
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import Wire
from bot.domain.errors import TransientError
from tests.support.far_side import Asked, answer, far_side, saying

ASK = Ask(doing="read the App's deliveries", where="the App", needs="the App's own key")


def wire(url: str) -> Wire:
    return Wire(url, ledger=Ledger(), budget=Budget(lambda: 0.0), clock=lambda: datetime.now(UTC), timeout=timedelta(seconds=5))


def test_a_page_on_another_server_is_not_followed() -> None:
    with far_side(saying(answer(b"[]"))) as evil:
        for link in (f"{evil.url}/x?page=2", "https://evil.example/x", "http://127.0.0.1:1/x", "//evil.example/x", "file:///etc/passwd"):
            page = answer(json.dumps([{"id": 1}]).encode(), content_type="application/json", link=f'<{link}>; rel="next"')
            with far_side(saying(page)) as far, pytest.raises(TransientError, match="another server"):
                wire(far.url).as_app(Token("t" * 20), "GET", "/app/hook/deliveries", ASK)
            assert len(far.asked) == 1
        assert evil.asked == []


def test_a_page_on_the_same_server_is_named() -> None:
    def reply(asked: Asked, connection: socket.socket) -> None:
        link = f'<http://{asked.headers["host"]}/app/hook/deliveries?cursor=2>; rel="next"'
        connection.sendall(answer(b"[]", content_type="application/json", link=link))

    with far_side(reply) as far:
        found = wire(far.url).as_app(Token("t" * 20), "GET", "/app/hook/deliveries", ASK)
    assert found["next"] == f"{far.url}/app/hook/deliveries?cursor=2"
