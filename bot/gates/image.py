"""image: every image of the promotion exists in its registry, with the content that was tested, and as you want it.

Decides from what the registry said: `{"exists", "digest", "created", "platforms", "labels", "signed", "attested"}`. Talking to the
registry and checking signatures is the collector's. What the answer does not speak of is unknown.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from bot.domain.duration import spell
from bot.domain.facts import Answer, Case, Question
from bot.domain.image import Version, normal_name
from bot.domain.slot import Holds
from bot.domain.verdict import Outcome, Verdict
from bot.gates._asking import answers, ask
from bot.gates._base import Gate
from bot.gates._fields import HttpUrl, PositiveDuration, Texts
from bot.gates._words import instant, several

WORST_FIRST = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PENDING)
SKEW = timedelta(minutes=5)
"""So far the clock of whoever built an image may be ahead."""


class Signature(BaseModel):
    """Who must have signed: a public key, or a keyless identity and who vouches for it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    key: str = ""
    """Path of the public key on the machine that runs the bot."""
    identity: str = ""
    """The identity in the certificate, for example a workflow's address."""
    issuer: HttpUrl | None = None
    """Who vouches for it, for example https://token.actions.githubusercontent.com."""
    attestation: str = ""
    """Also ask for an attestation of this type, for example slsaprovenance."""

    @model_validator(mode="after")
    def _one(self) -> "Signature":
        if bool(self.key) == bool(self.identity) or bool(self.identity) != bool(self.issuer):
            raise ValueError("a signature is by `key`, or by `identity` with `issuer`; write one of these")
        return self


class Image(Gate):
    """Passes when every image exists in its registry with the content that was tested, and as you want it."""

    gate: Literal["image"] = "image"
    platforms: Texts = ()
    """Platforms that must be there: `linux/amd64`."""
    min_age: PositiveDuration | None = None
    """Built at least this long ago."""
    max_age: PositiveDuration | None = None
    """Built no longer ago than this."""
    labels: Mapping[str, str] = {}
    """Labels that must have these values, as globs: `org.opencontainers.image.source: https://github.com/acme/*`."""
    signature: Signature | None = None
    """Who must have signed it."""
    digest: bool = False
    """The promotion must name the digest, so that a tag that is pushed again cannot slip in."""
    ignore: Texts = ()
    """Artifacts that are no images (or not yours), as globs."""

    def questions(self, case: Case) -> tuple[Question, ...]:
        return tuple(self._question(name, version) for name, version in self._images(case))

    def _question(self, name: str, version: Version) -> Question:
        extra = self.signature.model_dump(exclude_defaults=True) if self.signature else {}
        return ask("image", image=name, tag=version.tag, digest=version.digest, platforms=",".join(self.platforms), **extra)

    def _images(self, case: Case) -> list[tuple[str, Version]]:
        """Every image with its new version, once, in the order of the edits."""
        found: dict[tuple[str, Version], None] = {}
        for move in case.moves:
            for edit in move.edits:
                name = normal_name(edit.artifact)
                holds = getattr(edit, "holds", Holds.IMAGE)
                if name is not None and holds is Holds.IMAGE and not any(fnmatchcase(name, pattern) for pattern in self.ignore):
                    found[(name, edit.new)] = None
        return list(found)

    def evaluate(self, case: Case) -> Verdict:
        images = self._images(case)
        if not images:
            return self.passed("The promotion changes no image.")
        judged = []
        for (name, version), answer in zip(images, answers(case, self.questions(case)), strict=True):
            reference = f"{name}:{version.tag}" if version.tag else f"{name}@{_short(version.digest)}"
            judged.append((reference, answer, *self._judge(reference, version, answer, case)))
        for outcome in WORST_FIRST:
            for reference, answer, verdict, sentence in judged:
                if verdict is outcome:
                    return self._says(outcome, sentence, f"Whoever builds and pushes {reference}", answer.look_again)
        return self.passed(f"{several([reference for reference, _, _, _ in judged])} {'is' if len(judged) == 1 else 'are'} as tested.")

    def _judge(self, reference: str, version: Version, answer: Answer, case: Case) -> tuple[Outcome, str]:
        facts = answer.value
        if not isinstance(facts, Mapping) or not isinstance(facts.get("exists"), bool):
            why = answer.problem.rstrip(".") or "the answer is not understood"
            return Outcome.UNKNOWN, f"The registry could not be asked about {reference}: {why}."
        if not facts["exists"]:
            return Outcome.FAILED, f"{reference} does not exist in its registry."
        if version.digest is None and self.digest:
            return Outcome.FAILED, f"{reference} is promoted by its tag alone, and the digest is wanted."
        if version.digest is not None and facts.get("digest") is None:
            return Outcome.UNKNOWN, f"The registry does not say which content {reference} has."
        if version.digest is not None and facts["digest"] != version.digest:
            return (
                Outcome.FAILED,
                f"{reference} is {_short(facts['digest'])} now, and {_short(version.digest)} was tested: the tag was pushed again.",
            )
        for check in (self._platforms, self._age, self._labels, self._signed):
            found = check(reference, facts, case)
            if found is not None:
                return found
        return Outcome.PASSED, ""

    def _platforms(self, reference: str, facts: Mapping[str, Any], case: Case) -> tuple[Outcome, str] | None:
        if not self.platforms:
            return None
        present = facts.get("platforms")
        if present is None:
            return Outcome.UNKNOWN, f"The registry does not say for which platforms {reference} is."
        missing = [platform for platform in self.platforms if platform not in present]
        return (Outcome.FAILED, f"{reference} is not there for {several(missing)}.") if missing else None

    def _age(self, reference: str, facts: Mapping[str, Any], case: Case) -> tuple[Outcome, str] | None:
        if self.min_age is None and self.max_age is None:
            return None
        created = facts.get("created")
        if not isinstance(created, datetime):
            return Outcome.UNKNOWN, f"Nobody can say when {reference} was built."
        age = case.now - created
        if age < -SKEW:
            return Outcome.UNKNOWN, f"{reference} says that it was built in the future ({instant(created)}): its age is not known."
        if self.max_age is not None and age > self.max_age:
            return Outcome.FAILED, f"{reference} was built {spell(age)} ago, and at most {spell(self.max_age)} is wanted."
        if self.min_age is not None and age < self.min_age:
            return Outcome.PENDING, f"{reference} was built {spell(age)} ago, and at least {spell(self.min_age)} is wanted."
        return None

    def _labels(self, reference: str, facts: Mapping[str, Any], case: Case) -> tuple[Outcome, str] | None:
        if not self.labels:
            return None
        present = facts.get("labels")
        if not isinstance(present, Mapping):
            return Outcome.UNKNOWN, f"Nobody can say which labels {reference} has."
        for name, wanted in self.labels.items():
            value = present.get(name)
            if value is None or not fnmatchcase(str(value), wanted):
                has = f"is {str(value)[:80]!r}" if value is not None else "is missing"
                return Outcome.FAILED, f"The label {name} of {reference} {has}, and {wanted!r} is wanted."
        return None

    def _signed(self, reference: str, facts: Mapping[str, Any], case: Case) -> tuple[Outcome, str] | None:
        if self.signature is None:
            return None
        wanted = [("signed", "signature")] + (
            [("attested", f"attestation ({self.signature.attestation})")] if self.signature.attestation else []
        )
        by = self.signature.key or self.signature.identity
        for key, noun in wanted:
            if not isinstance(facts.get(key), bool):
                return Outcome.UNKNOWN, f"Nobody can say whether {reference} has a {noun} by {by}."
            if not facts[key]:
                return Outcome.FAILED, f"{reference} has no valid {noun} by {by}."
        return None


def _short(digest: object) -> str:
    return str(digest)[:19]
