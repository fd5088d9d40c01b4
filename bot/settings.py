"""Secrets and addresses from the environment (prefix `PROMOTION_BOT_`) or from files that it names.

Decides which secrets there are, that a file with one is readable by its owner alone, and that no secret is printed by accident.
What is configured without being secret stands in the configuration file (`bot.config`).
"""

import os
import stat
from collections.abc import Mapping
from difflib import get_close_matches
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from bot.domain.errors import UserError
from bot.domain.redact import redact

PREFIX = "PROMOTION_BOT_"
LARGEST_SECRET = 64 << 10
SHORTEST_WEBHOOK_SECRET = 16
OTHERS = frozenset({f"{PREFIX}CRASH_AT", f"{PREFIX}CRASH_TRACE"})
"""Variables that others read, for tests."""


class Settings(BaseSettings):
    """Everything that comes from the environment. A `…_file` names a file that holds the value instead."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    github_token: SecretStr | None = None
    """A token for GitHub, where no App is used."""
    github_token_file: Path | None = None
    """A file with it."""
    github_app_private_key: SecretStr | None = None
    """The GitHub App's private key, in PEM."""
    github_app_private_key_file: Path | None = None
    """A file with it."""
    github_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """The webhook secrets, separated by commas or line ends: the new one first, then the old one while it is rotated out."""
    github_webhook_secrets_file: Path | None = None
    """A file with them, one a line."""
    insecure_no_webhook_secret: bool = False
    """Take webhooks without a signature. Only while listening on loopback."""
    github_client_id: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,100}$")
    """The client id of the GitHub App (or OAuth app) by which people prove who they are; for `/promote link` in Slack."""
    github_client_secret: SecretStr | None = None
    """Its client secret."""
    github_client_secret_file: Path | None = None
    """A file with it."""
    slack_bot_token: SecretStr | None = None
    """Slack's bot token (xoxb-…)."""
    slack_bot_token_file: Path | None = None
    """A file with it."""
    slack_signing_secret: SecretStr | None = None
    """Slack's signing secret, for commands and buttons by HTTP."""
    slack_signing_secret_file: Path | None = None
    """A file with it."""
    slack_app_token: SecretStr | None = None
    """Slack's app token (xapp-…), for Socket Mode."""
    slack_app_token_file: Path | None = None
    """A file with it."""
    webhook_gate_secret: SecretStr | None = None
    """Signs what the `webhook` gate sends."""
    webhook_gate_secret_file: Path | None = None
    """A file with it."""
    registry_hook_secret: SecretStr | None = None
    """The last part of the address for registries' webhooks, `/webhooks/registry/<secret>`: most of them sign nothing."""
    registry_hook_secret_file: Path | None = None
    """A file with it."""
    credentials: Mapping[str, SecretStr] = {}
    """Credentials that the configuration names, one variable each: `PROMOTION_BOT_CREDENTIALS__<NAME>`. Names are read in small letters."""
    database_url: SecretStr | None = None
    """`sqlite:///…` or `postgresql://…`; without it, a SQLite file in the state directory."""
    database_url_file: Path | None = None
    """A file with it."""
    state_dir: Path = Path("state")
    """Where the bot keeps its clones and its SQLite file."""
    listen_host: str = "127.0.0.1"
    """The address to listen on."""
    listen_port: int = Field(default=8080, ge=0, le=65535)
    """The port to listen on; 0 lets the system choose."""
    drain_seconds: float = Field(default=0, ge=0, le=300)
    """So many seconds, told to stop, `/readyz` says no while requests are still taken; 0: listening ends at once."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """A port of its own for `/metrics`, which is then served there alone; 0 lets the system choose."""
    metrics_host: str = ""
    """The address of that port; empty: the address to listen on."""
    external_url: str = ""
    """Under which address people and GitHub reach the bot, for links."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much is logged."""
    log_format: Literal["json", "text"] = "json"
    """For machines, or for people."""

    @field_validator("github_webhook_secrets", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return several(value) if isinstance(value, str) else value

    @field_validator("credentials", mode="after")
    @classmethod
    def _small(cls, value: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
        return {name.lower(): secret for name, secret in value.items()}

    @property
    def database(self) -> str:
        """The database's URL, with its password: never to be logged."""
        return self.database_url.get_secret_value() if self.database_url else f"sqlite:///{self.state_dir / 'promotion-bot.db'}"

    @property
    def loopback(self) -> bool:
        """True when only this machine can reach us."""
        if self.listen_host == "localhost":
            return True
        try:
            return ip_address(self.listen_host.strip("[]")).is_loopback
        except ValueError:
            return False

    def known_secrets(self) -> tuple[str, ...]:
        """All secret values, for redaction."""
        values = [value for value in vars(self).values() if isinstance(value, SecretStr)]
        values += [*self.github_webhook_secrets, *self.credentials.values()]
        return tuple(text for text in (value.get_secret_value() for value in values) if text)

    def redact(self, text: str) -> str:
        """The text without our secrets and without anything that looks like one."""
        return redact(text, self.known_secrets())


def several(text: str) -> tuple[str, ...]:
    """The parts of a text that are separated by commas or line ends."""
    return tuple(part.strip() for part in text.replace("\n", ",").split(",") if part.strip())


def load_settings() -> Settings:
    """The settings of this process, files read. UserError that names the variable, never its value, when something is wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _wrong("__".join(str(step) for step in first["loc"]), redact(first["msg"])) from None
    except SettingsError as error:
        raise _wrong("credentials", redact(str(error.__cause__ or "it cannot be read"))) from None
    return settings.model_copy(update=_from_files(settings))


def _wrong(name: str, why: str) -> UserError:
    variable = PREFIX + name.upper()
    return UserError(f"The variable {variable} is not valid: {why}", where=variable, fix="docs/configuration.md lists the variables")


def strays(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Variables with our prefix that nobody reads, each as a sentence: most often a typing error. Values are not looked at."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | OTHERS
    names = sorted(name for name in environment if name.upper().startswith(PREFIX))
    unknown = [name for name in names if name.upper() not in known and not name.upper().startswith(f"{PREFIX}CREDENTIALS__")]
    bare = sorted(name.removeprefix(PREFIX) for name in known)
    close = {name: get_close_matches(name.upper().removeprefix(PREFIX), bare, n=1) for name in unknown}
    return tuple(
        f"Nobody reads the variable {name}." + (f" Did you mean {PREFIX}{close[name][0]}?" if close[name] else "") for name in unknown
    )


def require_webhook_secret(settings: Settings) -> None:
    """Refuse to take webhooks that anybody could forge. UserError unless secrets are there, or it was asked for on loopback."""
    if settings.github_webhook_secrets:
        weak = next((s for s in settings.github_webhook_secrets if len(s.get_secret_value()) < SHORTEST_WEBHOOK_SECRET), None)
        if weak is not None:
            raise UserError(
                f"A webhook secret is shorter than {SHORTEST_WEBHOOK_SECRET} characters",
                where=f"{PREFIX}GITHUB_WEBHOOK_SECRETS",
                fix="make one with `openssl rand -hex 32` and give it to GitHub as well",
            )
        return
    if settings.insecure_no_webhook_secret and settings.loopback:
        return
    raise UserError(
        "No webhook secret is set: anybody could forge GitHub's events",
        where=f"{PREFIX}GITHUB_WEBHOOK_SECRETS",
        fix="set it (`openssl rand -hex 32`) and give it to GitHub as well; without one the bot serves on loopback only, "
        "with --insecure-no-webhook-secret",
    )


def _from_files(settings: Settings) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, path in ((name, path) for name, path in settings if name.endswith("_file") and isinstance(path, Path)):
        target = name.removesuffix("_file")
        if getattr(settings, target):
            variable = f"{PREFIX}{target.upper()}"
            raise UserError(f"Both {variable} and {variable}_FILE are set", where=variable, fix="keep one of them")
        text = read_secret(path, f"{PREFIX}{name.upper()}")
        found[target] = tuple(map(SecretStr, several(text))) if target == "github_webhook_secrets" else SecretStr(text)
    return found


def read_secret(path: Path, variable: str) -> str:
    """A secret from a file, without the line end. UserError when it cannot be read, is empty, or others can read it too.

    Kubernetes mounts secrets as root's, readable by the pod's group: that is taken where the file is not our own.
    """
    refuse = partial(UserError, where=variable)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise refuse(f"{path} is not a file", fix="name the file itself")
        ours = found.st_uid == os.geteuid()
        if found.st_mode & (stat.S_IRWXO | (stat.S_IRWXG if ours else stat.S_IWGRP)):
            raise refuse(f"{path} can be read or changed by others than its owner", fix=f"chmod 600 {path}")
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise refuse(f"{path} cannot be read: {reason}", fix="check the path and its permissions") from error
    try:
        text = content.decode().strip()
    except UnicodeDecodeError as error:
        raise refuse(f"{path} is not a text file", fix="put the secret into it as text") from error
    if not text or len(content) > LARGEST_SECRET:
        raise refuse(f"{path} is {'empty' if not text else 'too large for a secret'}", fix="put the secret into it")
    return text
