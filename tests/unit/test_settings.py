"""Secrets from the environment and from files: read, refused when others can read them, never printed."""

import json
from pathlib import Path

import pytest

from bot.domain.errors import UserError
from bot.settings import PREFIX, Settings, load_settings, require_webhook_secret, strays

TOKEN = "ghp_" + "z9" * 18


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def put(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(PREFIX + name.upper(), value)


def test_defaults_need_nothing() -> None:
    settings = load_settings()
    assert settings.database == "sqlite:///state/promotion-bot.db"
    assert settings.loopback
    assert settings.known_secrets() == ()


def test_values_and_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    put(
        monkeypatch,
        github_token=TOKEN,
        github_webhook_secrets="new, old",
        credentials__prometheus="abc123",
        credentials__ci_token="def456",
        listen_port="0",
    )
    settings = load_settings()
    assert settings.github_token is not None
    assert settings.github_token.get_secret_value() == TOKEN
    assert [secret.get_secret_value() for secret in settings.github_webhook_secrets] == ["new", "old"]
    assert {name: secret.get_secret_value() for name, secret in settings.credentials.items()} == {
        "prometheus": "abc123",
        "ci_token": "def456",
    }
    assert set(settings.known_secrets()) == {TOKEN, "new", "old", "abc123", "def456"}


def test_nothing_prints_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    put(
        monkeypatch,
        github_token=TOKEN,
        github_webhook_secrets="first-secret,second-secret",
        credentials__x="third-secret",
        database_url="postgresql://u:fourth@h/d",
    )
    settings = load_settings()
    for text in (repr(settings), str(settings), settings.model_dump_json(), json.dumps(settings.model_dump(mode="json"), default=str)):
        for secret in (TOKEN, "first-secret", "second-secret", "third-secret", "fourth"):
            assert secret not in text
    assert settings.redact(f"a {TOKEN} b third-secret") == "a *** b ***"


def test_a_wrong_value_names_the_variable_and_not_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, listen_port=TOKEN)
    with pytest.raises(UserError) as caught:
        load_settings()
    assert caught.value.where == "PROMOTION_BOT_LISTEN_PORT"
    assert TOKEN not in str(caught.value)
    put(monkeypatch, listen_port="80", credentials=TOKEN)
    with pytest.raises(UserError) as caught:
        load_settings()
    assert caught.value.where == "PROMOTION_BOT_CREDENTIALS"
    assert TOKEN not in str(caught.value)


def test_secrets_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key, hooks = tmp_path / "key.pem", tmp_path / "hooks"
    key.write_text("-----BEGIN X-----\nabc\n-----END X-----\n")
    hooks.write_text("new\nold\n")
    for file in (key, hooks):
        file.chmod(0o600)
    put(monkeypatch, github_app_private_key_file=str(key), github_webhook_secrets_file=str(hooks))
    settings = load_settings()
    assert settings.github_app_private_key is not None
    assert settings.github_app_private_key.get_secret_value() == "-----BEGIN X-----\nabc\n-----END X-----"
    assert [secret.get_secret_value() for secret in settings.github_webhook_secrets] == ["new", "old"]


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o602, 0o777])
def test_a_file_that_others_can_read_or_change_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int) -> None:
    key = tmp_path / "key.pem"
    key.write_text("secret-value")
    key.chmod(mode)
    put(monkeypatch, github_app_private_key_file=str(key))
    with pytest.raises(UserError, match="by others than its owner") as caught:
        load_settings()
    assert caught.value.where == "PROMOTION_BOT_GITHUB_APP_PRIVATE_KEY_FILE"
    assert caught.value.fix == f"chmod 600 {key}"


def test_files_that_are_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(path: Path, what: str) -> None:
        put(monkeypatch, github_token_file=str(path))
        with pytest.raises(UserError, match=what):
            load_settings()

    refused(tmp_path / "none", "cannot be read: No such file")
    refused(tmp_path, "is not a file")
    empty, binary, large = tmp_path / "empty", tmp_path / "binary", tmp_path / "large"
    empty.write_text(" \n")
    binary.write_bytes(b"\xff\xfe")
    large.write_text("x" * 70_000)
    for file, what in ((empty, "is empty"), (binary, "is not a text file"), (large, "is too large")):
        file.chmod(0o600)
        refused(file, what)


def test_value_and_file_together_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "t"
    file.write_text("x")
    file.chmod(0o600)
    put(monkeypatch, github_token=TOKEN, github_token_file=str(file))
    with pytest.raises(UserError, match="Both PROMOTION_BOT_GITHUB_TOKEN and PROMOTION_BOT_GITHUB_TOKEN_FILE"):
        load_settings()


@pytest.mark.parametrize(
    ("secrets", "insecure", "host", "starts"),
    [
        ("", False, "127.0.0.1", False),
        ("", True, "127.0.0.1", True),
        ("", True, "localhost", True),
        ("", True, "::1", True),
        ("", True, "0.0.0.0", False),
        ("", True, "bot.example", False),
        ("0123456789abcdef", False, "0.0.0.0", True),
        ("0123456789abcdef,fedcba9876543210", False, "0.0.0.0", True),
        ("short", False, "127.0.0.1", False),
        ("0123456789abcdef,short", False, "127.0.0.1", False),
    ],
)
def test_no_webhooks_without_a_secret_but_on_loopback(
    monkeypatch: pytest.MonkeyPatch, secrets: str, insecure: bool, host: str, starts: bool
) -> None:
    put(monkeypatch, github_webhook_secrets=secrets, insecure_no_webhook_secret=str(insecure), listen_host=host)
    settings = load_settings()
    if starts:
        require_webhook_secret(settings)
    else:
        with pytest.raises(UserError):
            require_webhook_secret(settings)


def test_settings_can_be_made_by_hand() -> None:
    assert Settings(github_webhook_secrets="a,b", log_format="text").log_format == "text"  # type: ignore[arg-type]


def test_a_variable_that_nobody_reads_is_told_without_its_value() -> None:
    given = {
        PREFIX + "GITHUB_TOKN": TOKEN,
        PREFIX + "GITHUB_TOKEN": TOKEN,
        PREFIX + "CREDENTIALS__X": TOKEN,
        "PATH": "/bin",
        PREFIX + "ZZZ": "1",
    }
    assert strays(given) == (
        "Nobody reads the variable PROMOTION_BOT_GITHUB_TOKN. Did you mean PROMOTION_BOT_GITHUB_TOKEN?",
        "Nobody reads the variable PROMOTION_BOT_ZZZ.",
    )
