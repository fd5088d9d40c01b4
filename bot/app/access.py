"""What the bot logs in with, and where it tells people: the secrets that the configuration calls for, or a sentence on what is missing."""

from slack_sdk import WebClient

from bot.adapters.github.auth import AppKey, PersonalToken
from bot.adapters.slack.chat import SlackChat
from bot.config.schema import Config
from bot.domain.errors import UserError
from bot.ports import Chat
from bot.settings import Settings


def access(config: Config, settings: Settings) -> AppKey | PersonalToken:
    """What to log in to the forge with: the GitHub App where one is configured, else a token."""
    if config.forge.app is not None:
        if settings.github_app_private_key is None:
            raise UserError(
                "The configuration names a GitHub App, but its private key is not set.",
                where="PROMOTION_BOT_GITHUB_APP_PRIVATE_KEY_FILE",
                fix="download a private key on the App's settings page and name the file in this variable",
            )
        return AppKey(
            app_id=config.forge.app.app_id,
            private_key=settings.github_app_private_key.get_secret_value(),
            installation=config.forge.app.installation_id,
        )
    if settings.github_token is None:
        raise UserError(
            "Nothing to log in to the forge with: neither a GitHub App nor a token is given.",
            where="PROMOTION_BOT_GITHUB_TOKEN",
            fix="set this variable, or `forge.app` in the configuration and the App's private key",
        )
    return PersonalToken(settings.github_token.get_secret_value())


def chat(config: Config, settings: Settings) -> Chat | None:
    """Slack, where notices are sent there."""
    slack = config.notifications.slack
    if slack is None:
        return None
    if settings.slack_bot_token is None:
        raise UserError(
            "The configuration sends notices to Slack, but no bot token is set.",
            where="PROMOTION_BOT_SLACK_BOT_TOKEN",
            fix="set this variable, or take `notifications.slack` out of the configuration",
        )
    base = slack.api_url.rstrip("/") + "/"
    return SlackChat(WebClient(token=settings.slack_bot_token.get_secret_value(), base_url=base, timeout=10), config, slack)
