"""Plays the story: people push, approve and let a version crash; the bot does the rest; every change is told as it comes.

Decides when people act and when the story is over. Whether it came true is read from the sandbox by `check`.
"""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.app import Parts
from bot.cli.demo import check
from bot.cli.demo.cast import Part, slots_of
from bot.cli.demo.tell import Teller
from bot.cli.demo.world import APPROVER, DEVELOPER, World
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.release import same_release
from bot.domain.rollout import RolloutState
from bot.manifests import edit

STEP_SECONDS = 0.25
THINKING = 3.0
"""Seconds for which the approver looks at a pull request before approving it."""

SIGNS = {
    PromotionState.OPEN: "📬",
    PromotionState.MERGED: "🚚",
    PromotionState.HEALTHY: "✅",
    PromotionState.FAILED: "❌",
    PromotionState.REVERTING: "↩️ ",
    PromotionState.REVERTED: "✅",
    PromotionState.CLOSED: "🚫",
    PromotionState.SUPERSEDED: "⏭️ ",
    PromotionState.STUCK: "🆘",
}


@dataclass(slots=True)
class Story:
    """One showing. `play` returns True when every demand was met before the time was up."""

    world: World
    parts: Parts
    cast: list[Part]
    directory: Path
    teller: Teller
    seen: dict[str, PromotionState] = field(default_factory=dict)
    opened: dict[str, float] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    pushed: bool = False
    unmet: list[check.Found] = field(default_factory=list)

    def play(self, *, limit: float) -> bool:
        """Until everything came true, or the time is up."""
        next_check = 0.0
        while self.teller.seconds < limit:
            self._tell_changes()
            self._people()
            if self.teller.seconds >= next_check and self.pushed:
                self.unmet = [found for part in self.cast for found in check.check(self.world, part) if not found.met]
                if not self.unmet and not self._under_way():
                    self._tell_changes()
                    return True
                next_check = self.teller.seconds + 1.0
            self.teller.waiting_for(self._awaited())
            time.sleep(STEP_SECONDS)
        return False

    def promotions(self) -> list[Promotion]:
        """All promotions so far, oldest first."""
        return sorted(self.parts.history.recent_promotions(limit=1000), key=lambda promotion: promotion.opened_at)

    def _under_way(self) -> bool:
        return any(promotion.state.in_flight for promotion in self.promotions())

    def _tell_changes(self) -> None:
        for promotion in self.promotions():
            if self.seen.get(promotion.id) == promotion.state:
                continue
            self.seen[promotion.id] = promotion.state
            if promotion.state is not PromotionState.OPENING:
                self.teller.say(_line(promotion), stage=promotion.stage, sign=SIGNS.get(promotion.state, "•"))
            if promotion.state is PromotionState.OPEN:
                self.opened[promotion.id] = self.teller.seconds

    def _people(self) -> None:
        """Ana pushes once the first pull requests stand; Bo approves what waits for him."""
        if not self.pushed and (self.opened or not any(not part.pushed for part in self.cast)):
            self.pushed = True
            for part in self.cast:
                if part.pushed:
                    self._push(part)
        last = self.world.stages[-1]
        for promotion in self.promotions():
            waits = promotion.stage == last and promotion.state is PromotionState.OPEN and promotion.number is not None
            if not waits or promotion.head in self.approved:
                continue
            if self.teller.seconds - self.opened.get(promotion.id, self.teller.seconds) < THINKING:
                continue
            self.approved.add(promotion.head)
            assert promotion.number is not None  # asked for above
            self.world.github.approve(self.world.repository(last), promotion.number, APPROVER)
            self.teller.say(f"@{APPROVER} approves #{promotion.number}", stage=last, sign="👍")

    def _push(self, part: Part) -> None:
        """The developer's own commit to the first stage: one version, everything else as it was."""
        first = part.stages[0]
        repository = self.world.repository(first)
        files: dict[str, bytes | None] = {}
        for slot in slots_of(self.directory / first):
            if slot.artifact == part.artifacts[first]:
                content = files.get(slot.path) or self.world.github.read_file(repository, "main", slot.path) or b""
                files[slot.path] = edit(content, slot.address, {"tag": part.new})
        self.world.github.push(repository, "main", files, message=f"{part.service} {part.new}", author=DEVELOPER)
        self.teller.say(f"@{DEVELOPER} pushes {part.service} {part.new}", stage=first, sign="👩")

    def _awaited(self) -> str:
        texts = []
        now = self.parts.clock()
        for promotion in self.promotions():
            if promotion.state is PromotionState.OPEN:
                texts.append(f"{promotion.stage}: {promotion.name} waits before its gates")
            elif promotion.state in (PromotionState.MERGED, PromotionState.REVERTING):
                texts.append(f"{promotion.stage}: {promotion.name} rolls out")
        for stage, following in zip(self.world.stages, self.world.stages[1:], strict=False):
            ahead = self.parts.history.health(following)
            for name, health in self.parts.history.health(stage).items():
                other = ahead.get(name)
                newer = other is not None and health.release and other.release and not same_release(health.release, other.release)
                if newer and health.state is RolloutState.HEALTHY and now - health.since < timedelta(seconds=10):
                    texts.append(f"{stage}: {name} soaks")
        return " · ".join(texts[:3]) or "…"


def _line(promotion: Promotion) -> str:
    moved = ", ".join(f"{move.service} {move.old} → {move.new}" for move in promotion.moves)
    where = f"  {promotion.url}" if promotion.url and promotion.state is PromotionState.OPEN else ""
    match promotion.state:
        case PromotionState.OPEN:
            return f"pull request #{promotion.number}: {moved}{where}"
        case PromotionState.MERGED:
            return f"{moved} merged, rolls out"
        case PromotionState.HEALTHY:
            return f"{moved} is healthy"
        case PromotionState.FAILED:
            return f"{moved} failed: {promotion.reason}"
        case PromotionState.REVERTING:
            return f"{moved} is taken back with commit {(promotion.revert_commit or '')[:9]}"
        case PromotionState.REVERTED:
            return f"healthy again without {promotion.moves[0].service} {promotion.moves[0].new}, which stays quarantined"
        case _:
            return f"{moved} {promotion.state}: {promotion.reason}"
