"""No secret leaves an adapter, in whatever text it hides."""

import pytest

from bot.adapters.redact import MASK, redact

SECRETS = (
    "ghs_abcdefghijklmnopqrstuvwxyz0123456789",
    "ghp_0123456789abcdefghij",
    "github_pat_11AAAAAAA0123456789_abcdefg",
    "xoxb-123456789012-abcdef",
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NSJ9.c2lnbmF0dXJlLXRleHQ",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\ncut off",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "fatal: {} failed", "a={}&b=1", '"{}"'])
def test_what_looks_like_a_secret_is_masked(secret: str, around: str) -> None:
    shown = redact(around.format(secret))
    assert secret not in shown
    assert secret[12:30] not in shown
    assert MASK in shown


def test_known_values_are_masked_whatever_they_look_like() -> None:
    assert redact("the key is hunter2-hunter2!", ["hunter2-hunter2!", "hunter2"]) == f"the key is {MASK}"
    assert redact("a short one is a word: abc", ["abc"]) == "a short one is a word: abc"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pw@github.com/a/b.git", f"https://{MASK}@github.com/a/b.git"),
        ("https://token@h/x and http://a:b@c", f"https://{MASK}@h/x and http://{MASK}@c"),
        ("https://github.com/a/b@v1", "https://github.com/a/b@v1"),
        ("Authorization: Basic eDp5", f"Authorization: Basic {MASK}"),
        ("authorization: bearer abc.def", f"authorization: bearer {MASK}"),
        ("remote: error: GH006: Protected branch", "remote: error: GH006: Protected branch"),
    ],
)
def test_addresses_and_headers(text: str, shown: str) -> None:
    assert redact(text) == shown
