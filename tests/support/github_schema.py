"""GitHub's own description of its answers and webhooks, as validators for what the sandbox says.

`AnswerCheck` stands inside the sandbox's application and validates every REST answer against the schema of its route and
status; a route or status that GitHub does not describe is a finding too.
"""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from openapi_schema_validator import OAS30Validator, OAS31Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from bot.sandbox.github.application import template_of
from bot.sandbox.github.delivery import Delivery
from bot.sandbox.github.gate import Message, Receive, Scope, Send

DATA = Path(__file__).parents[1] / "data" / "github"
HOME = "urn:github"
# Where the description is narrower than GitHub: a commit whose address belongs to nobody has author null, and an ordinary
# refusal fits both alternatives of a oneOf.
DRIFT = (("author", "None is not valid"), ("committer", "None is not valid"), ("", "is valid under each of"))
# What GitHub answers on any route without describing it there (docs.github.com: troubleshooting, rate limits, validation).
EVERYWHERE = {400, 401, 403, 404, 405, 409, 422, 429, 500, 502, 503, 504}


@cache
def description(name: str) -> Any:
    """A packed description."""
    return json.loads(gzip.decompress((DATA / name).read_bytes()))


@cache
def registry(name: str) -> Registry[Any]:
    """The components of a description, where `$ref` finds them."""
    return Registry().with_resource(HOME, Resource(contents=description(name), specification=DRAFT202012))


def absolute(node: Any) -> Any:
    """A schema whose references lead into the registry; the hints of `discriminator` add nothing to its `oneOf`."""
    if isinstance(node, list):
        return [absolute(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: HOME + value if key == "$ref" and isinstance(value, str) else absolute(value)
        for key, value in node.items()
        if key != "discriminator"
    }


@cache
def answer_validator(method: str, template: str, status: int) -> OAS30Validator | None:
    """The validator of one answer; None where GitHub describes no body. LookupError where it describes no such answer."""
    found = description("api.json.gz")["paths"].get(template, {}).get(method.lower())
    if found is None:
        raise LookupError(f"GitHub has no route {method} {template}")
    responses = found["responses"]
    if str(status) not in responses:
        if status in EVERYWHERE:
            return OAS30Validator(absolute({"$ref": "#/components/schemas/basic-error"}), registry=registry("api.json.gz"))
        raise LookupError(f"GitHub does not answer {status} to {method} {template}")
    response = responses[str(status)]
    if "$ref" in response:
        response = description("api.json.gz")["components"]["responses"][response["$ref"].rpartition("/")[2]]
    content = response.get("content", {})
    kind = next((content[name] for name in ("application/json", "application/json+github") if name in content), None)
    if kind is None:
        return None
    return OAS30Validator(absolute(kind["schema"]), registry=registry("api.json.gz"))


def answer_errors(method: str, template: str, status: int, body: bytes) -> list[str]:
    """What is wrong with an answer."""
    try:
        validator = answer_validator(method, template, status)
    except LookupError as error:
        return [str(error)]
    if validator is None or status == 304:
        return []
    try:
        found = json.loads(body)
    except ValueError:
        return [f"{method} {template} {status}: not JSON"]
    wrong = [error for error in validator.iter_errors(found) if not is_drift(error)]
    return [f"{method} {template} {status}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in wrong[:5]]


def is_drift(error: Any) -> bool:
    """Whether the description, not the answer, is wrong."""
    if error.validator == "enum" and error.instance is None and error.schema.get("nullable"):
        return True  # OpenAPI 3.0 asks for null in the list as well, GitHub's description forgets it
    if list(error.absolute_schema_path)[-4:-1] == ["account", "allOf", 1]:
        return True  # one list of installations is described with accounts that are user and enterprise at once
    last = str(error.absolute_path[-1]) if error.absolute_path else ""
    return any(place in ("", last) and text in error.message for place, text in DRIFT)


@cache
def hook_validator(name: str) -> OAS31Validator:
    """The validator of one webhook body, such as `pull-request-opened`."""
    body = description("webhooks.json.gz")["webhooks"][name]["requestBody"]
    return OAS31Validator(absolute(body["content"]["application/json"]["schema"]), registry=registry("webhooks.json.gz"))


def hook_errors(delivery: Delivery) -> list[str]:
    """What is wrong with a delivery's body."""
    name = "-".join(part for part in (delivery.event, delivery.action) if part).replace("_", "-")
    found = json.loads(delivery.body)
    # The schema's list of an App's events has no merge_group, which GitHub's own manifest documentation lists: drift, not our error.
    known = (
        f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in hook_validator(name).iter_errors(found)
    )
    return [error for error in known if ": 'merge_group' is not one of [" not in error][:5]


class AnswerCheck:
    """ASGI middleware; `findings` holds what GitHub would not have said, `checked` counts the answers that were looked at."""

    def __init__(self, application: FastAPI) -> None:
        self.findings: list[str] = []
        self.checked = 0
        self._find = template_of(application)
        application.add_middleware(_Watch, check=self)

    def look(self, scope: Scope, status: int, body: bytes) -> None:
        """Validate one answer."""
        template = self._find(scope)
        if template in ("unknown", "/{rest}", "/repos/{owner}/{repo}/contents", "/repositories/{repository_id}"):
            return
        self.checked += 1
        self.findings += answer_errors(scope["method"], template, status, body)


class _Watch:
    def __init__(self, app: Any, check: AnswerCheck) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/v3"):
            await self._app(scope, receive, send)
            return
        status, body = 0, b""

        async def listen(message: Message) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                body += message.get("body", b"")
            await send(message)

        untouched = dict(scope)
        await self._app(scope, receive, listen)
        self._check.look(untouched, status, body)
