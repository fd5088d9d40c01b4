"""The buttons on a stage's check: what they are called, and which words of a command each stands for.

GitHub takes three, with at most 20 characters a label, 40 a description, 20 an identifier. Approving is none of them: a press names no
head that its reader saw. https://docs.github.com/rest/guides/using-the-rest-api-to-interact-with-checks#check-runs-and-requested-actions
"""

from dataclasses import dataclass

EXPLAIN, HOLD, RETRY = "explain", "hold", "retry"
HELD = "held with the button on the check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """`line` is the command that a press means, without its prefix."""

    identifier: str
    label: str
    description: str
    line: str


BUTTONS = (
    Button(identifier=EXPLAIN, label="Explain", description="Say what holds it, gate by gate", line="why"),
    Button(identifier=HOLD, label="Hold", description="Do not merge this pull request", line=f'hold --reason "{HELD}"'),
    Button(identifier=RETRY, label="Retry", description="Let in what failed, ask every gate anew", line="retry"),
)
RERUN_LINE = "status"
"""What GitHub's own *Re-run* means: look again."""
