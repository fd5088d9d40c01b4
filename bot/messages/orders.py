"""The sentences about what a person's order did to a promotion."""

from bot.domain.directive import Directive


def rolled_back(order: Directive) -> str:
    """Why a version that stood in a stage was taken back."""
    return f"@{order.actor.login} ordered to take it back{_why(order)}."


def not_asked(order: Directive, sentence: str) -> str:
    """A gate that a rollback does not wait for."""
    return f"Not asked: @{order.actor.login} ordered to go back{_why(order)}. Without that: {sentence}"


def cancelled(order: Directive) -> str:
    """Why a pull request was closed."""
    return f"@{order.actor.login} closed this promotion by order{_why(order)}. This version is not offered again by itself."


def going_back(service: str, stage: str, order: Directive) -> str:
    """What stands behind a promotion to an older version."""
    return f"@{order.actor.login} ordered {service} in {stage} back to {order.version}{_why(order)}."


def _why(order: Directive) -> str:
    return f": {order.reason.rstrip('.')}" if order.reason else ""
