"""Who is told what: seriousness and stage."""

from bot.config.notifications import Audience
from bot.domain.action import Notify

RANK = {"info": 0, "warning": 1, "critical": 2}


def wants(audience: Audience, notice: Notify) -> bool:
    """Is this message for this receiver?"""
    return RANK[notice.severity.value] >= RANK[audience.at_least] and (not audience.stages or notice.stage in audience.stages)
