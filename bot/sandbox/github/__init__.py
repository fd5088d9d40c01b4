"""A GitHub-compatible server over real bare git repositories: REST, GraphQL, git's own protocol, signed webhooks.

`GitHubSandbox` is the whole of it; the other names are what a test needs to speak about what it sees.
"""

from bot.sandbox.github.delivery import Delivery
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.ledger import Entry
from bot.sandbox.github.server import GitHubSandbox

__all__ = ["ApiError", "Delivery", "Entry", "GitHubSandbox"]
