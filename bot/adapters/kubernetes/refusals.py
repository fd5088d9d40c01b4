"""What stands between the bot and a cluster, said so that somebody can mend it.

Decides the sentence for each way an API says no: the missing rule with the exact RBAC to add, a token that is not taken, an
address that does not answer. When to say it is decided by the follower.
"""

from bot.adapters.kubernetes.api import Rejected, Unreachable
from bot.adapters.kubernetes.kinds import Kind


def sentence(error: Rejected | Unreachable, kind: Kind, namespace: str | None, verb: str) -> str:
    """What is wrong, why, and who can change it."""
    where = f"in namespace {namespace}" if namespace is not None else "in all namespaces"
    asked = f"{verb} {kind.resource} {where}"
    if isinstance(error, Unreachable):
        return f"cannot {asked}: {error.what}"
    match error.status:
        case 401:
            return f"cannot {asked}: the cluster does not take the bot's token (401), also after it was read again; renew the credentials"
        case 403:
            return f"may not {asked} (403). A cluster administrator must add:\n{rbac(kind, namespace)}"
        case 429:
            return f"cannot {asked}: the cluster throttles the bot (429); it waits as asked and tries again"
        case _:
            return f"cannot {asked}: {error.what}"


def rbac(kind: Kind, namespace: str | None) -> str:
    """The rule to add to the bot's Role or ClusterRole, as YAML."""
    everywhere = "kind: ClusterRole (or name the stage's namespaces in cluster.namespaces)"
    made = f"kind: Role, in namespace {namespace}" if namespace is not None else everywhere
    rule = f'- apiGroups: ["{kind.group}"]\n  resources: ["{kind.plural}"]\n  verbs: ["list", "watch"]'
    return f"# {made}\n{rule}"


def patch_rbac(kind: Kind, namespace: str) -> str:
    """The rule that lets the bot ask an agent to look at git."""
    rule = f'- apiGroups: ["{kind.group}"]\n  resources: ["{kind.plural}"]\n  verbs: ["patch"]'
    return f"# kind: Role, in namespace {namespace}\n{rule}"
