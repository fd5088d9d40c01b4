"""The tree of errors, three families: what a user can mend, what passes by itself, and everything else (our bug).

    BotError
    ├── UserError          shown on the thing the user touched; never retried
    │   ├── Refused        the forge or a repository said no for good (permission, protection, policy)
    │   └── Unauthorised   the actor may not do this
    └── TransientError     tried again later with back-off; shown only when it lasts
        ├── Stale          what we read has moved on (head, base, row version): observe again at once
        ├── RateLimited    the other side asks for a pause; nothing is sent before `retry_after` is over
        ├── OutcomeUnknown a write may or may not have happened: look before any repeat
        └── Fenced         this process was taken for dead and replaced: it must not write any more

Adapters map library exceptions to these; anything else that leaves an adapter is a bug.
"""

from datetime import timedelta


class BotError(Exception):
    """Root of every error that the bot raises on purpose."""


class UserError(BotError):
    """Something a person can mend.

    `what` is a full sentence, `where` names the place (file:line, repository, setting) or is empty,
    `why` is the reason or is empty, `fix` says how to mend it or is empty. `code` is stable: it appears in logs, metrics and JSON.
    """

    code = "UserError"

    def __init__(self, what: str, *, where: str = "", why: str = "", fix: str = "", code: str | None = None) -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.what = what
        self.where = where
        self.why = why
        self.fix = fix
        if code is not None:
            self.code = code


class Refused(UserError):
    """The forge or a repository refused for good; `fix` names the permission or setting that is missing."""

    code = "Refused"


class Unauthorised(UserError):
    """The actor may not do this; the sentence names the missing role, where it comes from and who has it."""

    code = "Unauthorised"


class TransientError(BotError):
    """Passes by itself. `retry_after` is how long the other side asked us to wait, None where it did not say."""

    def __init__(self, what: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.retry_after = retry_after


class Stale(TransientError):
    """A compare-and-swap failed: what was read has moved on. Nothing was written; observe again."""


class RateLimited(TransientError):
    """A rate limit of the other side; the whole installation pauses for `retry_after`."""


class OutcomeUnknown(TransientError):
    """The answer to a write was lost. It may have happened: look before any repeat."""


class Fenced(TransientError):
    """Another replica took this one's work over (it was paused or cut off): nothing may be written by this run any more."""
