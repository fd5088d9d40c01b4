"""How often a label is changed back: so that two programs that do not agree about one do not write for ever.

Decides when the bot gives way, and that people are told of it once. What a label means is `labelling`'s.
"""

from bot.domain.action import Notify, Severity
from bot.domain.pull import LabelEvent, PullRequest
from bot.messages import refusals as words
from bot.reconcile import crash, telling
from bot.reconcile.tools import Tools

MOST = 5
"""So many times a label of one pull request is changed back."""


def may_change_back(tools: Tools, stage: str, pull: PullRequest, label: str, event: LabelEvent) -> bool:
    """May this change of a label be undone? The same event is counted once, however often it is read."""
    base = f"label-back:{pull.repository}:{pull.number}:{label}"
    mine = f"{base}:{event.at.isoformat()}"
    if tools.effects.known(mine):
        return True
    free = next((key for place in range(MOST) if not tools.effects.known(key := f"{base}:{place}")), None)
    if free is None:
        _tell(tools, stage, pull, label, event)
        return False
    for key in (free, mine):
        tools.effects.once(key, name=crash.REPLIED, look=lambda: True, do=lambda: True, kind=bool)
    return True


def _tell(tools: Tools, stage: str, pull: PullRequest, label: str, event: LabelEvent) -> None:
    key = f"label-war:{pull.repository}:{pull.number}:{label}"
    text = words.label_left(label, number=pull.number, stage=stage, login=event.actor.login, times=MOST)
    telling.notify(tools, Notify(key=key, thread=key, severity=Severity.WARNING, stage=stage, service="", text=text, fields={}))
