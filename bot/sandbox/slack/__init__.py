"""A Slack sink: the Web API's methods that an app needs, a page that shows the messages, and people who act.

`SlackSandbox` is the whole of it. It knows nothing of the bot.
"""

from bot.sandbox.slack.acting import Ack, signature
from bot.sandbox.slack.sandbox import SlackSandbox
from bot.sandbox.slack.workspace import Message

__all__ = ["Ack", "Message", "SlackSandbox", "signature"]
