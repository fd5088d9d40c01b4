"""order: the new version is newer than the one that stands here, is no pre-release, and is not an old tag with new content.

Decides from the text of the versions alone; where the text cannot tell which is newer, the answer is unknown.
"""

from typing import Literal

from bot.domain.facts import Case
from bot.domain.promotion import Move
from bot.domain.release import compare_releases
from bot.domain.verdict import Outcome, Verdict
from bot.gates._base import Gate
from bot.gates._fields import Pattern, compile_pattern

PRERELEASE = r"(?i)[-_.+](alpha|beta|rc|pre|preview|snapshot|dev|nightly|canary|milestone)([-_.]?[0-9]+)?($|[-_.+])"
WORST_FIRST = (Outcome.FAILED, Outcome.UNKNOWN)


class Order(Gate):
    """Passes when every version is newer than the one it replaces."""

    gate: Literal["order"] = "order"
    downgrades: bool = False
    """May an older version enter?"""
    prereleases: bool = True
    """May a pre-release enter?"""
    prerelease: Pattern = PRERELEASE
    """The RE2 pattern by which a pre-release is known."""
    repushed: bool = False
    """May the same tag enter with another digest?"""
    unordered: Literal["pass", "unknown"] = "unknown"
    """What two versions count as that nobody can put in order, such as two commit hashes."""

    def evaluate(self, case: Case) -> Verdict:
        judged = [self._judge(move, case) for move in case.moves]
        for outcome in WORST_FIRST:
            found = next((sentence for verdict, sentence in judged if verdict is outcome), None)
            if found is not None:
                return self._says(outcome, found, f"Another version, or an admin with `/promote override {self.label}`", None)
        return self.passed("Every version may replace the one that stands here.")

    def _judge(self, move: Move, case: Case) -> tuple[Outcome, str]:
        step = f"{move.service} {move.old} -> {move.new}"
        tags = [version.tag or "" for _, version in move.new.versions]
        early = next((tag for tag in tags if compile_pattern(self.prerelease).search(tag)), None)
        if early is not None and not self.prereleases:
            return Outcome.FAILED, f"{move.service} {early} is a pre-release, and {case.stage} takes none."
        if _repushed(move) and not self.repushed:
            return Outcome.FAILED, f"{step}: the tag is the same and the content is not: it was pushed again."
        direction = compare_releases(move.new, move.old)
        if direction is None and not _repushed(move) and self.unordered == "unknown":
            return Outcome.UNKNOWN, f"{step}: nobody can tell from the text which of the two is newer."
        if direction == -1 and not self.downgrades:
            return Outcome.FAILED, f"{step} would be a downgrade."
        return Outcome.PASSED, ""


def _repushed(move: Move) -> bool:
    old = dict(move.old.versions)
    return any(
        known.tag == version.tag and known.tag is not None and known.digest and version.digest and known.digest != version.digest
        for component, version in move.new.versions
        if (known := old.get(component)) is not None
    )
