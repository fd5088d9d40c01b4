"""The settings of a bot in the sandbox: given here in full, and nothing of the person's own environment."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from bot.settings import Settings


class SandboxSettings(Settings):
    """`Settings` that read no environment."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: object, **__: object
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def sandbox_settings(*, app_key: str, webhook_secret: str, slack_token: str, state_dir: Path, slack_secret: str = "") -> Settings:
    """As an operator would set them, with a port that the system chooses."""
    return SandboxSettings(
        github_app_private_key=SecretStr(app_key),
        github_webhook_secrets=(SecretStr(webhook_secret),),
        slack_bot_token=SecretStr(slack_token),
        slack_signing_secret=SecretStr(slack_secret) if slack_secret else None,
        state_dir=state_dir,
        listen_port=0,
        log_level="error",
        log_format="text",
    )
