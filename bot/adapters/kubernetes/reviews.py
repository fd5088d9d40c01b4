"""Asks a cluster what our account may do there: one SelfSubjectAccessReview a question; nothing is changed by it.

Decides how the question is put and read; which rights are needed is `kinds`' word.
"""

import json
from collections.abc import Iterator

from bot.adapters.kubernetes import access
from bot.adapters.kubernetes.api import Api, Request, decoded
from bot.adapters.kubernetes.kinds import Kind
from bot.adapters.kubernetes.stage import wanted_lists
from bot.config.stage import Cluster

PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
VERBS = ("list", "watch")


def may(api: Api, verb: str, group: str, resource: str, namespace: str | None) -> bool:
    """May we do this there? Raises `Rejected` or `Unreachable` when the cluster does not say."""
    asked = {"verb": verb, "group": group, "resource": resource, **({"namespace": namespace} if namespace else {})}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": asked}}
    answer = decoded(api.send(Request(method="POST", path=PATH, label="review", body=json.dumps(body).encode())).data)
    status = answer.get("status")
    return isinstance(status, dict) and status.get("allowed") is True


def missing(cluster: Cluster) -> tuple[list[str], bool]:
    """The rules that are missing for what must be read ("list deployments.apps in shop"), and whether secrets can be read, which
    nobody needs. Raises `UserError` for a cluster that is configured wrongly, `TransientError` for one that does not answer."""
    api = Api(configuration=access.configure(cluster))
    api.get("/version", label="version")
    lacking = [
        f"{verb} {kind.resource}{f' in {space}' if space else ''}"
        for verb, kind, space in _needed(cluster)
        if not may(api, verb, kind.group, kind.plural, space)
    ]
    spaces = cluster.namespaces or (None,)
    return lacking, any(may(api, "get", "", "secrets", space) for space in spaces)


def _needed(cluster: Cluster) -> Iterator[tuple[str, Kind, str | None]]:
    for kind, namespace in wanted_lists(cluster):
        if kind.essential:
            yield from ((verb, kind, namespace) for verb in VERBS)
