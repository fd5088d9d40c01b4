"""Writes promotions into GitHub's own record of deployments, so that its pages show which version stands in which environment.

Decides when a record is made and when only its state is added. A record is found again by its task, so that a lost answer makes no second.
https://docs.github.com/rest/deployments/deployments
"""

from urllib.parse import quote

from bot.adapters.github.budget import Priority
from bot.adapters.github.reading import understood
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import Wire
from bot.domain.promotion import Promotion

LONGEST = 140
UNSURE = "?"


class Deployments:
    """The records of all environment repositories. The environment's name is the stage's."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def record(self, repository: str, promotion: Promotion, *, commit: str, state: str, known: str) -> str:
        """The record's id. One REST call: to make it, or, where it is `known`, to add its state. A new record is pending by itself, so
        that `in_progress` costs nothing more. `known` "?" or "?id" means that an answer was lost: record and state are looked for first
        (one call more each).
        """
        ask = Ask(
            doing="record a deployment",
            where=f"{repository} {promotion.stage}",
            needs="deployments: write",
            write=True,
            priority=Priority.COSMETIC,
        )
        unsure, number = known.startswith(UNSURE), known.removeprefix(UNSURE)
        if unsure:
            number = number or self._found(repository, promotion, commit, ask)
        unsure = unsure and bool(number)
        number = number or self._made(repository, promotion, commit, ask)
        if state == "in_progress" or (unsure and self._says(repository, number, state, ask)):
            return number
        content = {
            "state": state,
            "description": _short(promotion.reason if state == "failure" else f"{promotion.name} in {promotion.stage}: {state}"),
            "log_url": promotion.url,
            "auto_inactive": True,
        }
        path = f"/repos/{repository}/deployments/{number}/statuses"
        self._wire.rest("POST", path, ask, body={name: value for name, value in content.items() if value != ""})
        return number

    def _found(self, repository: str, promotion: Promotion, commit: str, ask: Ask) -> str:
        query = f"environment={quote(promotion.stage, safe='')}&sha={commit}&task={quote(_task(promotion), safe='')}&per_page=1"
        answer = self._wire.rest("GET", f"/repos/{repository}/deployments?{query}", Ask(doing=ask.doing, where=ask.where, needs=ask.needs))
        with understood("the deployments"):
            return str(answer[0]["id"]) if answer else ""

    def _says(self, repository: str, number: str, state: str, ask: Ask) -> bool:
        """True when this is the state that the record was given last."""
        path = f"/repos/{repository}/deployments/{number}/statuses?per_page=1"
        answer = self._wire.rest("GET", path, Ask(doing=ask.doing, where=ask.where, needs=ask.needs))
        with understood("the deployment's states"):
            return bool(answer) and answer[0]["state"] == state

    def _made(self, repository: str, promotion: Promotion, commit: str, ask: Ask) -> str:
        content = {
            "ref": commit,
            "task": _task(promotion),
            "environment": promotion.stage,
            "description": _short(", ".join(f"{move.service} {move.new}" for move in promotion.moves)),
            "payload": {"promotion": promotion.id, "services": {move.service: str(move.new) for move in promotion.moves[:50]}},
            "auto_merge": False,
            "required_contexts": [],
        }
        answer = self._wire.rest("POST", f"/repos/{repository}/deployments", ask, body=content)
        with understood("the new deployment", write=True):
            return str(int(answer["id"]))


def _task(promotion: Promotion) -> str:
    return f"promote:{promotion.id}"


def _short(text: str) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= LONGEST else clean[: LONGEST - 1] + "…"
