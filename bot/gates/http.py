"""http: an HTTP endpoint answers as expected, so many times in a row.

Decides from the attempts that a collector made: `[{"at": instant, "status": 200, "body": "…", "error": ""}]`, oldest first.
Dialling, and refusing addresses that must not be dialled, is the collector's.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from bot.domain.facts import Answer, Case, Question
from bot.domain.verdict import Verdict
from bot.gates._asking import answers, ask, checked, fill, in_url, per_move
from bot.gates._base import Gate
from bot.gates._fields import HttpUrl, Pattern, PositiveDuration, Texts, compile_pattern
from bot.gates._words import instant

STALE_AFTER = 5
SHOWN_BODY = 80


def _statuses(value: tuple[str, ...]) -> tuple[str, ...]:
    for text in value:
        low, _, high = text.partition("-")
        if not (low.isdigit() and 100 <= int(low) <= 599 and (not high or (high.isdigit() and int(low) <= int(high) <= 599))):
            raise ValueError(f'{text!r} is not a status or a range of them. Write "200" or "200-299"')
    return value


class Http(Gate):
    """Passes when an HTTP endpoint answers as expected, `times` times in a row."""

    gate: Literal["http"] = "http"
    url: Annotated[HttpUrl, AfterValidator(checked)]
    """What to ask. `${service}`, `${version}`, `${stage}` and the like are filled in."""
    method: Literal["GET", "HEAD", "POST"] = "GET"
    """How."""
    status: Annotated[Texts, AfterValidator(_statuses)] = ("200-299",)
    """The statuses that are expected: `"200"`, `"200-299"`."""
    body: Pattern | None = None
    """An RE2 pattern that the body must match somewhere."""
    times: int = Field(default=1, ge=1, le=100)
    """So many good answers in a row."""
    every: PositiveDuration = Field(default="30s", validate_default=True)
    """The time between two of them."""
    timeout: PositiveDuration = Field(default="5s", validate_default=True)
    """How long an answer may take."""
    credential: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$|^$")
    """The bearer token to show, by its name in the environment (`PROMOTION_BOT_CREDENTIALS__<NAME>`)."""

    def questions(self, case: Case) -> tuple[Question, ...]:
        moves = case.moves if per_move(self.url) else (None,)
        return tuple(
            ask(
                "http",
                url=fill(self.url, case, move, in_url),
                method=self.method,
                times=self.times,
                every=int(self.every.total_seconds()),
                timeout=int(self.timeout.total_seconds()) or 1,
                credential=self.credential,
            )
            for move in moves
        )

    def evaluate(self, case: Case) -> Verdict:
        questions = self.questions(case)
        verdicts = [self._judge(dict(q.params)["url"], answer, case) for q, answer in zip(questions, answers(case, questions), strict=True)]
        bad = [verdict for verdict in verdicts if not verdict.lets_pass]
        return bad[0] if bad else verdicts[0]

    def _judge(self, url: str, answer: Answer, case: Case) -> Verdict:
        owner = f"Whoever runs {url}"
        if not isinstance(answer.value, list | tuple) or not answer.value:
            why = answer.problem or "there is no answer"
            return self.unknown(f"{url} could not be asked: {why.rstrip('.')}.", owner, look_again=answer.look_again)
        attempts: list[Mapping[str, Any]] = list(answer.value)
        newest: datetime = attempts[-1]["at"]
        again = newest + self.every
        if case.now - newest > max(STALE_AFTER * self.every, timedelta(minutes=2)):
            return self.unknown(
                f"The last answer of {url} is from {instant(newest)}: too old to count.", "Nobody; the bot asks again", look_again=case.now
            )
        if attempts[-1].get("error"):
            return self.unknown(f"{url} gave no answer: {str(attempts[-1]['error']).rstrip('.')}.", owner, look_again=again)
        wrong = self._wrong(attempts[-1])
        if wrong:
            return self.failed(f"{url} {wrong}.", owner, look_again=again)
        row = 0
        for attempt in reversed(attempts):
            if attempt.get("error") or self._wrong(attempt):
                break
            row += 1
        if row < self.times:
            return self.pending(
                f"{url} answered well {row} of {self.times} times in a row.", f"Time; {owner[:1].lower()}{owner[1:]}", look_again=again
            )
        return self.passed(f"{url} answered well{f' {self.times} times in a row' if self.times > 1 else ''}.", look_again=again)

    def _wrong(self, attempt: Mapping[str, Any]) -> str:
        """What is wrong with an answer, or empty."""
        status = int(attempt["status"])
        if not any(_within(status, expected) for expected in self.status):
            return f"answered {status}, and {' or '.join(self.status)} is expected"
        body = str(attempt.get("body", ""))
        if self.body is not None and not compile_pattern(self.body).search(body):
            return f"answered {body[:SHOWN_BODY]!r}, which does not match `{self.body}`"
        return ""


def _within(status: int, expected: str) -> bool:
    low, _, high = expected.partition("-")
    return int(low) <= status <= int(high or low)
