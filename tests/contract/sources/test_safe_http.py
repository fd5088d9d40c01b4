"""The way out, against a real server that misbehaves."""

import gzip
import socket
import time
import zlib

import pytest

from bot.adapters.safe_http import Limits, SafeHttp, authorization
from bot.domain.errors import TransientError, UserError
from tests.support.far_side import Asked, answer, far_side, saying


def test_an_answer_comes_back_whole_and_the_request_goes_out_as_asked() -> None:
    with far_side(saying(answer(b"hello", x_a="1"))) as far:
        reply = SafeHttp().exchange("POST", f"{far.url}/a%2Fb?c=d", headers={"X-B": "2"}, body=b"in", private=True)
    assert (reply.status, reply.body, reply.headers["x-a"]) == (200, b"hello", "1")
    (asked,) = far.asked
    assert (asked.method, asked.path, asked.body, asked.headers["x-b"]) == ("POST", "/a%2Fb?c=d", b"in", "2")
    assert asked.headers["host"] == f"127.0.0.1:{far.port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_refused_however_they_are_written(host: str) -> None:
    with far_side(saying(answer(b"secret"))) as far, pytest.raises((UserError, TransientError)) as raised:
        SafeHttp().exchange("GET", f"http://{host}:{far.port}/")
    assert far.asked == []
    assert "secret" not in str(raised.value)


def test_metadata_addresses_are_refused_even_where_private_ones_are_allowed() -> None:
    with pytest.raises(UserError, match="metadata"):
        SafeHttp().exchange("GET", "http://169.254.169.254/latest/meta-data", private=True)


def test_a_name_that_changes_its_answer_is_dialled_at_the_address_that_was_checked() -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]]
    names: list[str] = []

    def flipping(host: str, _port: int) -> list[str]:
        names.append(host)
        return answers[min(len(names) - 1, 2)]

    with far_side(saying(answer(b"secret"))) as far:
        http = SafeHttp(resolve=flipping)
        with pytest.raises(TransientError):
            http.exchange("GET", f"http://rebind.example:{far.port}/", limits=Limits(seconds=1, connect=0.5))
        assert names == ["rebind.example"]
        with pytest.raises(UserError, match="private"):
            http.exchange("GET", f"http://rebind.example:{far.port}/")
    assert far.asked == []


def test_a_name_with_one_forbidden_address_is_not_dialled_at_all() -> None:
    with far_side(saying(answer(b"x"))) as far:
        http = SafeHttp(resolve=lambda _host, _port: ["127.0.0.1", "169.254.169.254"])
        with pytest.raises(UserError, match="metadata"):
            http.exchange("GET", f"http://both.example:{far.port}/", private=True)
    assert far.asked == []


def test_the_checked_address_is_dialled_under_the_name_that_was_given() -> None:
    with far_side(saying(answer(b"x"))) as far:
        SafeHttp(resolve=lambda _host, _port: ["127.0.0.1"]).exchange("GET", f"http://named.example:{far.port}/", private=True)
    assert far.asked[0].headers["host"] == f"named.example:{far.port}"


def test_redirects_are_not_followed() -> None:
    with far_side(saying(answer(status="302 Found", location="http://169.254.169.254/"))) as far:
        assert SafeHttp().exchange("GET", far.url, private=True).status == 302
    assert len(far.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://a/",
        "http://user:pass@a/",
        "http://a/\r\nX: y",
        "http:///x",
        "http://a b/",
        "",
        "http://a/" + "x" * 9000,
        "//a/",
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(UserError):
        SafeHttp().exchange("GET", url)


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress, zlib.compress])
@pytest.mark.parametrize("size", [1000, 1001])
def test_a_body_is_cut_at_its_size_after_decompression(pack, size: int) -> None:
    name = {gzip.compress: "gzip", zlib.compress: "deflate"}.get(pack, "identity")
    with far_side(saying(answer(pack(b"x" * size), content_encoding=name))) as far:
        http = SafeHttp()
        if size > 1000:
            with pytest.raises(TransientError, match="larger"):
                http.exchange("GET", far.url, private=True, limits=Limits(largest=1000))
        else:
            assert len(http.exchange("GET", far.url, private=True, limits=Limits(largest=1000)).body) == size


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * (200 << 20))
    with far_side(saying(answer(bomb, content_encoding="gzip"))) as far:
        began = time.monotonic()
        with pytest.raises(TransientError, match="larger"):
            SafeHttp().exchange("GET", far.url, private=True)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip"])
def test_a_packing_that_nobody_asked_for_is_no_answer(encoding: str) -> None:
    with far_side(saying(answer(b"x", content_encoding=encoding))) as far, pytest.raises(TransientError, match="compressed"):
        SafeHttp().exchange("GET", far.url, private=True)


def test_a_broken_packing_is_no_answer() -> None:
    with far_side(saying(answer(b"not gzip", content_encoding="gzip"))) as far, pytest.raises(TransientError, match="unpacked"):
        SafeHttp().exchange("GET", far.url, private=True)


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: "])
def test_one_byte_at_a_time_does_not_hold_us(first: bytes) -> None:
    def drip(_asked: Asked, connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(50):
            connection.sendall(b"H")
            time.sleep(0.1)

    with far_side(drip) as far:
        began = time.monotonic()
        with pytest.raises(TransientError):
            SafeHttp().exchange("GET", far.url, private=True, limits=Limits(seconds=0.6))
    assert time.monotonic() - began < 2


def test_a_stream_without_end_is_cut() -> None:
    def flood(_asked: Asked, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with far_side(flood) as far, pytest.raises(TransientError, match="larger"):
        SafeHttp().exchange("GET", far.url, private=True)


@pytest.mark.parametrize(
    "wire", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000]
)
def test_what_is_no_answer_passes_by_itself(wire: bytes) -> None:
    with far_side(saying(wire)) as far, pytest.raises(TransientError):
        SafeHttp().exchange("GET", far.url, private=True)


def test_a_slow_resolver_does_not_hold_us() -> None:
    def slow(_host: str, _port: int) -> list[str]:
        time.sleep(1)
        return ["127.0.0.1"]

    with pytest.raises(TransientError, match="not resolved in time"):
        SafeHttp(resolve=slow).exchange("GET", "http://slow.example/", private=True, limits=Limits(connect=0.2))


def test_a_port_where_nobody_listens_passes_by_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransientError):
        SafeHttp().exchange("GET", f"http://127.0.0.1:{port}/", private=True)


def test_a_secret_is_shown_as_what_it_looks_like() -> None:
    assert authorization("abc") == {"authorization": "Bearer abc"}
    assert authorization("me:secret") == {"authorization": "Basic bWU6c2VjcmV0"}
