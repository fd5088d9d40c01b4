"""Which addresses are dialled."""

import pytest

from bot.adapters.reachable import refusal

NEVER = [
    "169.254.169.254",
    "fe80::1",
    "168.63.129.16",
    "100.100.100.200",
    "fd00:ec2::254",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::a9fe:a9fe",
]
PRIVATE = [
    "127.0.0.1",
    "::1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "fc00::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "198.18.0.1",
]


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_dialled(address: str) -> None:
    assert refusal(address, private=True)
    assert refusal(address, private=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_dialled_where_they_are_allowed(address: str) -> None:
    assert "private" in refusal(address, private=False)
    assert refusal(address, private=True) == ""


@pytest.mark.parametrize("address", ["8.8.8.8", "140.82.112.3", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_dialled(address: str) -> None:
    assert refusal(address, private=False) == ""


def test_what_is_no_address_is_not_dialled() -> None:
    assert refusal("localhost", private=True)
