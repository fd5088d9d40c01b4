"""Slack's errors as the bot's families: what a person must mend, and what passes by itself."""

from datetime import timedelta

from slack_sdk.errors import SlackApiError

from bot.domain.errors import BotError, OutcomeUnknown, RateLimited, Refused, TransientError

PASSING = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
WRITES = frozenset({"chat.postMessage", "chat.update", "files.completeUploadExternal"})


def mapped(error: Exception, method: str) -> BotError:
    """The error that leaves the adapter. No token or message text stands in it."""
    if isinstance(error, SlackApiError) and not isinstance(error.response, str):
        code = str((error.response.data or {}).get("error", "")) if isinstance(error.response.data, dict) else ""
        status = error.response.status_code
        if status == 429 or code == "ratelimited":
            seconds = str(error.response.headers.get("Retry-After", "30"))
            return RateLimited("Slack asks for a pause", retry_after=timedelta(seconds=int(seconds) if seconds.isdigit() else 30))
        if status >= 500 or code in PASSING:
            kind = OutcomeUnknown if method in WRITES and status >= 500 else TransientError
            return kind(f"Slack answered {status} {code} to {method}")
        needed = (error.response.data or {}).get("needed", "") if isinstance(error.response.data, dict) else ""
        fix = f"add the scope {needed} to the Slack app and install it again" if needed else _fix(code)
        return Refused(f"Slack refused {method}: {code}.", fix=fix)
    kind = OutcomeUnknown if method in WRITES else TransientError
    return kind(f"Slack cannot be reached for {method}: {type(error).__name__}")


def _fix(code: str) -> str:
    match code:
        case "channel_not_found" | "not_in_channel" | "is_archived":
            return "invite the app to the channel, or correct `notifications.slack` in the configuration"
        case "invalid_auth" | "not_authed" | "token_revoked" | "account_inactive" | "token_expired":
            return "set PROMOTION_BOT_SLACK_BOT_TOKEN to a valid bot token"
        case _:
            return "see https://api.slack.com/methods for this error"
