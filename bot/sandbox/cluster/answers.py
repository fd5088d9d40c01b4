"""The apiserver's own words when it refuses: `Status` objects and the few answers that are plain text.

Shapes and sentences follow recordings of a real control plane; deciding when to refuse is the API's business.
"""

from typing import Any

from bot.sandbox.cluster.resources import Obj, Resource

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    504: "Timeout",
}


class Refusal(Exception):
    """A request that the API answers with a status other than success; `body` is JSON, or `text` is plain text."""

    def __init__(self, code: int, body: Obj | None = None, *, text: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(text or (body or {}).get("message", str(code)))
        self.code = code
        self.body = body
        self.text = text
        self.headers = headers or {}


def status(code: int, message: str, *, reason: str | None = None, details: Obj | None = None) -> Obj:
    """A `Status` object of a failure. Code 500 has no reason, as the real one has not."""
    body: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    wanted = reason if reason is not None else REASONS.get(code, "")
    if wanted:
        body["reason"] = wanted
    if details is not None:
        body["details"] = details
    return body | {"code": code}


def refuse(code: int, message: str, **more: Any) -> Refusal:
    """A refusal with a `Status` body."""
    return Refusal(code, status(code, message, **more))


def _details(name: str, group: str, plural: str) -> Obj:
    details: Obj = {"name": name} if name else {}
    if group:
        details["group"] = group
    return details | {"kind": plural}


def unauthorized() -> Refusal:
    """401: a token that nobody knows."""
    return refuse(401, "Unauthorized")


def forbidden(user: str, verb: str, group: str, plural: str, namespace: str, name: str) -> Refusal:
    """403: no rule allows it. Comes before any look at what exists, so that it hides 404."""
    qualified = f"{plural}.{group}" if group else plural
    what = f'{qualified} "{name}"' if name else qualified
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    sentence = f'{what} is forbidden: User "{user}" cannot {verb} resource "{plural}" in API group "{group}" {where}'
    return refuse(403, sentence, details=_details(name, group, plural))


def not_found(resource: Resource, name: str) -> Refusal:
    """404 of an object; a missing namespace gives the same."""
    return refuse(404, f'{resource.qualified} "{name}" not found', details=_details(name, resource.group, resource.plural))


def unknown_path() -> Refusal:
    """404 of a group that is not installed: plain text, no Status object."""
    return Refusal(404, text="404 page not found\n")


def unknown_resource() -> Refusal:
    """404 of a version or resource that an installed group does not serve."""
    return refuse(404, "the server could not find the requested resource", details={})


def throttled(retry_after: int) -> Refusal:
    """429: plain text with Retry-After in seconds."""
    return Refusal(429, text="Too many requests, please try again later.\n", headers={"Retry-After": str(retry_after)})


def conflict(resource: Resource, name: str) -> Refusal:
    """409: the object has been written since it was read."""
    sentence = (
        f'Operation cannot be fulfilled on {resource.qualified} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    return refuse(409, sentence, details=_details(name, resource.group, resource.plural))


def already_exists(resource: Resource, name: str) -> Refusal:
    """409 of a create."""
    details = _details(name, resource.group, resource.plural)
    return refuse(409, f'{resource.qualified} "{name}" already exists', reason="AlreadyExists", details=details)


def too_old(asked: int, oldest: int) -> Obj:
    """The `Status` inside a watch's ERROR event: HTTP said 200 already."""
    return status(410, f"too old resource version: {asked} ({oldest})")
