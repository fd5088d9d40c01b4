"""Every exception that the libraries below can raise becomes one of ours; what was certainly not sent is told from what may have been."""

from collections.abc import Iterator
from datetime import UTC, datetime

import github
import pytest
import requests
import urllib3

from bot.adapters.github.budget import Budget
from bot.adapters.github.ledger import Ledger
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import Wire, network_error
from bot.domain.errors import BotError, OutcomeUnknown, TransientError, UserError

READ = Ask(doing="read", where="acme/env", needs="metadata: read")
WRITE = Ask(doing="write", where="acme/env#1", needs="contents: write", write=True, known=True)


def kinds(root: type[BaseException]) -> Iterator[type[BaseException]]:
    yield root
    for child in root.__subclasses__():
        yield from kinds(child)


LIBRARY = sorted(
    {
        kind
        for root in (requests.RequestException, urllib3.exceptions.HTTPError, github.GithubException, OSError, ValueError)
        for kind in kinds(root)
        if kind.__module__.split(".")[0] in ("requests", "urllib3", "github", "builtins", "socket", "ssl", "json")
    }
    | {RuntimeError},
    key=lambda kind: f"{kind.__module__}.{kind.__qualname__}",
)


class Raising:
    """A requester whose library fails."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def requestJson(self, *args: object, **others: object) -> None:
        raise self.error


def wire() -> Wire:
    return Wire("https://h/api/v3", ledger=Ledger(), budget=Budget(lambda: 0.0), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))


def made(kind: type[BaseException]) -> BaseException:
    if issubclass(kind, github.GithubException):
        return kind(502, {"message": "no"}, {})
    return kind.__new__(kind)


@pytest.mark.parametrize("ask", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize("kind", LIBRARY, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_library_errors_become_ours(kind: type[BaseException], ask: Ask) -> None:
    with pytest.raises(BotError) as caught:
        wire()._send(Raising(made(kind)), "PUT", "/x", ask, body=None, headers=None)  # type: ignore[arg-type]
    assert isinstance(caught.value, UserError | TransientError)


def test_there_are_as_many_as_we_think() -> None:
    assert len(LIBRARY) > 80


def test_our_own_bugs_are_not_hidden() -> None:
    for bug in (ZeroDivisionError, RecursionError, NotImplementedError, KeyError):
        with pytest.raises(bug):
            wire()._send(Raising(bug()), "GET", "/x", READ, body=None, headers=None)  # type: ignore[arg-type]


def test_what_was_never_sent_is_no_unknown_outcome() -> None:
    refused = urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]
    outer = requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/x", reason=refused))  # type: ignore[arg-type]
    for error in (outer, requests.exceptions.ConnectTimeout(), requests.exceptions.ProxyError()):
        assert type(network_error(error, WRITE)) is TransientError
    reset = requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError()))
    for error in (reset, requests.exceptions.ReadTimeout(), requests.exceptions.ChunkedEncodingError()):
        assert type(network_error(error, WRITE)) is OutcomeUnknown
        assert type(network_error(error, READ)) is TransientError


def test_a_certificate_that_is_not_trusted_says_what_to_do() -> None:
    error = network_error(requests.exceptions.SSLError("bad"), READ)
    assert isinstance(error, UserError)
    assert "REQUESTS_CA_BUNDLE" in error.fix
