"""One showing of the demo from beginning to end: world, bot, story, result, and cleaning up."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from bot.adapters.github.ledger import pull_subject
from bot.app import Parts, build
from bot.cli._process import Served
from bot.cli.demo import cast, rules, world
from bot.cli.demo.check import Found, check
from bot.cli.demo.settings import sandbox_settings
from bot.cli.demo.story import Story
from bot.cli.demo.tell import Teller
from bot.domain.errors import BotError, UserError
from bot.domain.promotion import Promotion, PromotionState
from bot.logs import configure
from bot.planning.standing import Standing

ROLLOUT_SECONDS, DEADLINE_SECONDS = 1.0, 4.0
TAKEN_BACK = frozenset({PromotionState.REVERTING, PromotionState.REVERTED})


def show(source: Path | None, *, once: bool, as_json: bool, limit: float) -> int:
    """Play it; the exit status."""
    began = monotonic()
    directory = (source or example_tree()).resolve()
    stages = world.stages_of(directory)
    teller = Teller(stages, to_stderr=as_json)
    configure(form="console", level="CRITICAL")
    teller.title(f"Starting {len(stages)} environment repositories, {len(stages)} clusters and a chat on this machine …")
    place = world.build(directory, rollout_seconds=ROLLOUT_SECONDS, progress_deadline=DEADLINE_SECONDS)
    served: Served | None = None
    try:
        config = rules.write(place, example=rules.read_example(directory))
        services = cast.inventory(config, directory, stages)
        players = cast.choose(services, stages, place.clusters)
        if not players:
            raise UserError(
                "No service of this tree can travel: none stands with an image tag in two neighbouring stages and runs there.",
                where=str(directory),
                fix="`promotion-bot slots` shows which versions the bot sees",
            )
        parts = build(config, _settings(place))
        served = Served(parts)
        place.github.set_webhook(f"{served.url}/webhooks/github", world.WEBHOOK_SECRET)
        place.slack.people.request_url = f"{served.url}/slack/events"
        story = Story(world=place, parts=parts, cast=players, directory=directory, teller=teller)
        _introduce(story, teller)
        teller.start()
        served.start()
        story_over = story.play(limit=limit)
        teller.stop()
        found = [one for part in players for one in check(place, part)]
        ok = story_over and all(one.met for one in found)
        _close(teller, found, story.teller.seconds, ok=ok)
        if not ok:
            _explain(teller, served)
        if as_json:
            names = {name for views in services.values() for name in views}
            print(json.dumps(_result(story, len(names), seconds=monotonic() - began, ok=ok)))
        if not once:
            _stay(teller, place, served.url)
        return 0 if ok else 1
    finally:
        teller.stop()
        if served is not None:
            served.stop()
        place.stop()


def example_tree() -> Path:
    """The project's own example environments."""
    found = Path(__file__).resolve().parents[3] / "environments"
    if not found.is_dir():
        raise UserError(
            "The example environments are not there.",
            why="they are part of the project's checkout, not of what is installed",
            fix="run from a checkout, or name a folder with --from",
        )
    return found


def _settings(place: world.World) -> Any:
    return sandbox_settings(
        app_key=place.app_key,
        webhook_secret=world.WEBHOOK_SECRET,
        slack_token=place.slack.bot_token,
        slack_secret=place.slack.signing_secret,
        state_dir=place.root / "state",
    )


def _introduce(story: Story, teller: Teller) -> None:
    place = story.world
    teller.plain(f"  GitHub (sandbox)  {place.github.url}/{place.repository(place.stages[0])}")
    teller.plain(f"  Slack (sandbox)   {place.slack.url}")
    for stage in place.stages:
        teller.plain(f"  cluster {stage:<9} kubectl --kubeconfig {place.kubeconfig(stage)} get pods -A")
    teller.title("What is about to happen")
    for part in story.cast:
        how = f"@{world.DEVELOPER} pushes it" if part.pushed else f"stands in {part.stages[0]} already"
        teller.plain(f"  {part.service} {part.new} ({how}) wants to go {' -> '.join(part.stages)}")
        if part.fails_in:
            place.clusters[part.fails_in].behave(part.artifacts[part.fails_in], part.new, "crash")
            teller.plain(f"    … but it will crash in {part.fails_in}: watch it being taken back")
    teller.plain(f"  {place.stages[-1]} asks for an approval by somebody of the team {world.OWNER}/{world.TEAM}")
    teller.title("Live")


def _close(teller: Teller, found: list[Found], seconds: float, *, ok: bool) -> None:
    teller.title("Read from the repositories and clusters themselves")
    for one in found:
        teller.plain(f"  {'✔' if one.met else '✘'} {one.demand}" + ("" if one.met else f"   ({one.seen})"))
    teller.title(f"{'Everything came true' if ok else 'NOT everything came true'} after {seconds:.0f} s.")


def _explain(teller: Teller, served: Served) -> None:
    """What the bot itself says of each stage, and how its own work on it stands."""
    parts = served.bot.parts
    work = served.bot.wakeups.work()
    teller.title("What the bot says")
    for stage in parts.config.order():
        own = work.get(stage)
        if own is not None:
            teller.plain(f"  {stage}: wanted {own.wanted} ({own.reason}), looked {own.ended_at}, failures {own.failures} {own.error}")
        try:
            plan = parts.plan(stage)
        except BotError as error:
            teller.plain(f"    cannot be planned: {error}")
            continue
        for place, problem in plan.problems.items():
            teller.plain(f"    {place}: {problem}")
        for report in plan.reports:
            if report.standing is not Standing.UP_TO_DATE:
                teller.plain(f"    {report.service} {report.standing.value}: {report.sentence}")


def _stay(teller: Teller, place: world.World, url: str) -> None:
    teller.plain("Everything keeps running: look around, push, comment. Ctrl-C ends it.")
    teller.plain("To give the bot orders from another terminal, as a developer or as who may approve for the last stage:")
    for login in (world.DEVELOPER, world.APPROVER):
        token = place.root / f"{login}.token"
        token.touch(mode=0o600)
        token.write_text(place.github.create_token(login), encoding="utf-8")
        teller.plain(f'  as @{login:<4} export PROMO_URL={url} PROMO_TOKEN="$(cat {token})"; promotion-bot status')
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        teller.plain("\nGood-bye: everything is being removed.")


def _result(story: Story, services: int, *, seconds: float, ok: bool) -> dict[str, Any]:
    parts = story.parts
    promotions, reverts = [], []
    for promotion in _shown(story.promotions()):
        calls = _calls(parts, promotion.stage, promotion.number)
        for move in promotion.moves:
            row = {
                "service": move.service,
                "stage": promotion.stage,
                "from": str(move.old),
                "to": str(move.new),
                "state": promotion.state.value,
                "pr": promotion.number,
                "api_calls": calls.get("rest", 0),
                "graphql_calls": calls.get("graphql", 0),
            }
            promotions.append(row)
            if promotion.state in TAKEN_BACK:
                reverts.append({**row, "from": str(move.new), "to": str(move.old), "commit": promotion.revert_commit})
    total = parts.forge.ledger.total()
    return {
        "services": services,
        "promotions": promotions,
        "reverts": reverts,
        "rest_calls": total.get("rest", 0),
        "graphql_calls": total.get("graphql", 0),
        "git_requests": total.get("git", 0),
        "seconds": round(seconds, 1),
        "ok": ok,
    }


def _shown(promotions: list[Promotion]) -> list[Promotion]:
    """Without those whose pull request went on with newer content: a row is one pull request."""
    last = {(promotion.stage, promotion.number): promotion.id for promotion in promotions if promotion.number is not None}
    return [promotion for promotion in promotions if promotion.number is None or last[promotion.stage, promotion.number] == promotion.id]


def _calls(parts: Parts, stage: str, number: int | None) -> Mapping[str, int]:
    """Calls over its whole life, by kind. A push is git's own protocol, and no call."""
    return {} if number is None else parts.forge.ledger.of(pull_subject(parts.config.stage(stage).repository, number))
