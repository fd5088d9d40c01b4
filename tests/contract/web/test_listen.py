"""A port that is taken is a sentence, not a traceback."""

import socket

import pytest

from bot.domain.errors import UserError
from bot.web.server import listen


def test_a_taken_port_is_refused_with_what_to_do() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=str(port)) as refused:
            listen("127.0.0.1", port)
    assert "PROMOTION_BOT_LISTEN_PORT" in refused.value.where
    assert refused.value.fix


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(UserError, match=r"203\.0\.113\.1"):
        listen("203.0.113.1", 0)


def test_any_port_will_do() -> None:
    with listen("127.0.0.1", 0) as found:
        assert isinstance(found, socket.socket)
