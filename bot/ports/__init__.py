"""What the bot needs from the outside, as Protocols: git repositories, the forge, clusters, chat, history.

Every method may raise `TransientError` (tried again later) or `UserError` (a person must mend something), and nothing else.
A write whose answer was lost raises `OutcomeUnknown`; a compare-and-swap that failed raises `Stale`.
"""

from bot.ports.forge import DeploymentPage, Forge, OpenedPull, SignedCommit
from bot.ports.outside import Answers, Cards, Chat, Clusters, Renderer, Teller
from bot.ports.repositories import CommitInfo, Repositories, TreeEntry
from bot.ports.store import EffectJournal, History, Outbox

__all__ = [
    "Answers",
    "Cards",
    "Chat",
    "Clusters",
    "CommitInfo",
    "DeploymentPage",
    "EffectJournal",
    "Forge",
    "History",
    "OpenedPull",
    "Outbox",
    "Renderer",
    "Repositories",
    "SignedCommit",
    "Teller",
    "TreeEntry",
]
