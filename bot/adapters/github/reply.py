"""One request as we meant it and one answer as GitHub gave it: the plain data between the wire and the error table."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.adapters.github.budget import Priority

Json = object


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a request is for. `doing` completes "GitHub refused to ..."; `where` is what it is about ("acme/env#12").

    `needs` is the permission that the route wants, told where GitHub does not say it. `write`: a lost answer may hide an effect.
    `known`: we have proof that the thing exists, so that a 404 is a lag or a lost permission. `weight` counts content writes.
    """

    doing: str
    where: str
    needs: str
    write: bool = False
    known: bool = False
    priority: Priority = Priority.NORMAL
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Status, headers (names in lower case) and body: parsed JSON, or None with `readable` false."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    readable: bool = True

    @property
    def message(self) -> str:
        """GitHub's own words: the message and what it says of single fields."""
        if not isinstance(self.body, Mapping):
            return ""
        words = [str(self.body.get("message") or "")]
        errors = self.body.get("errors")
        for error in errors if isinstance(errors, list) else ():
            if isinstance(error, Mapping):
                text = error.get("message") or " ".join(str(error[key]) for key in ("field", "code") if error.get(key))
                words.append(str(text))
            else:
                words.append(str(error))
        return ": ".join(word for word in words if word)
