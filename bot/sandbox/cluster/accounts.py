"""Who may do what: bearer tokens, the identities behind them, and their rules.

Decides 401 and 403 as RBAC does: the token first, then the rules, before any look at what exists.
"""

import secrets
from dataclasses import dataclass, field

from bot.sandbox.cluster.answers import forbidden, unauthorized

ANONYMOUS = "system:anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Verbs on resources of groups; `*` stands for all; without namespaces it holds in the whole cluster."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    namespaces: tuple[str, ...] = ()

    def allows(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Whether this rule allows the request."""
        wanted = ((self.verbs, verb), (self.groups, group), (self.resources, resource))
        if not all("*" in allowed or one in allowed for allowed, one in wanted):
            return False
        return not self.namespaces or namespace in self.namespaces


READ = ("get", "list", "watch")
EVERYTHING = (Rule(groups=("*",), resources=("*",), verbs=("*",)),)
READ_ONLY = (
    Rule(groups=("",), resources=("pods", "events", "namespaces", "services", "configmaps", "nodes", "pods/log"), verbs=READ),
    Rule(groups=("apps",), resources=("deployments", "statefulsets", "daemonsets", "replicasets"), verbs=READ),
    Rule(groups=("batch",), resources=("jobs", "cronjobs"), verbs=READ),
    Rule(groups=("autoscaling", "keda.sh"), resources=("horizontalpodautoscalers", "scaledobjects"), verbs=READ),
    Rule(groups=("argoproj.io",), resources=("applications", "applicationsets", "rollouts"), verbs=READ),
    Rule(groups=("argoproj.io",), resources=("applications",), verbs=("patch",)),
    Rule(groups=("kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"), resources=("*",),
         verbs=(*READ, "patch")),
)  # fmt: skip


@dataclass(slots=True)
class Accounts:
    """The identities of one cluster. `refuse_all` makes every token unknown (401); `denied` takes rights away (403)."""

    tokens: dict[str, str] = field(default_factory=dict)
    rules: dict[str, tuple[Rule, ...]] = field(default_factory=dict)
    refuse_all: bool = False
    denied: list[Rule] = field(default_factory=list)

    def add(self, user: str, rules: tuple[Rule, ...]) -> str:
        """A new identity (or another token of one); answers its token."""
        token = secrets.token_urlsafe(24)
        self.tokens[token] = user
        self.rules[user] = rules
        return token

    def who(self, authorization: str) -> str:
        """The user of an Authorization header. Raises 401 for an unknown token; without one it is the anonymous user."""
        if not authorization:
            return ANONYMOUS
        kind, _, token = authorization.partition(" ")
        user = self.tokens.get(token.strip())
        if self.refuse_all or kind.lower() != "bearer" or user is None:
            raise unauthorized()
        return user

    def may(self, user: str, verb: str, group: str, plural: str, namespace: str) -> bool:
        """Whether the user's rules allow the verb."""
        if any(rule.allows(verb, group, plural, namespace) for rule in self.denied):
            return False
        return any(rule.allows(verb, group, plural, namespace) for rule in self.rules.get(user, ()))

    def check(self, user: str, verb: str, group: str, plural: str, namespace: str, name: str = "") -> None:
        """Raises 403 unless the user may."""
        if not self.may(user, verb, group, plural, namespace):
            raise forbidden(user, verb, group, plural, namespace, name)
