"""What people meet: how long hostile Markdown keeps the bot busy, and how fast Slack is answered while commands are carried out.

Run: python -m benchmarks people. The Markdown texts are those of the grammar's tests, 64 KiB each; the slowest counts, at its best of
three. Slack's commands come four at a time by signed HTTP from the sandbox; each reads the pull request's gates. Then ten a second
to a `serve` of its own that carries new versions through four stages meanwhile. Goals: 0.3 s, 200 ms.
"""

import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks._beside import beside
from benchmarks.rows import Row
from bot.logs import configure
from bot.sandbox.slack import SlackSandbox
from tests.contract.reconcile.stage_world import Hub
from tests.contract.slack.slack_world import CHANNEL, SlackWorld, until
from tests.unit.commands.test_grammar import FULL, HOSTILE, seconds

COMMANDS, TOGETHER = 200, 4
BUSY_SECONDS, PER_SECOND, RELEASE_EVERY = 40, 10, 4
RELEASED = ("payments/app.yaml", "search/helmrelease.yaml", "pricing/deployment.yaml", "reviews/values.yaml")


def bench() -> list[Row]:
    """All rows."""
    configure(level="WARNING")
    slowest, name = max((min(seconds(text[:FULL]) for _ in range(3)), name) for name, text in HOSTILE.items())
    acks = acknowledged()
    meanwhile, opened = while_promotions_run()
    return [
        Row(what=f"64 KiB of hostile Markdown, the worst of {len(HOSTILE)} kinds ({name})", measured=round(slowest, 3), unit="s", goal=0.3),
        Row(what="Slack: acknowledgement of a command, p50", measured=round(statistics.median(acks), 1), unit="ms"),
        Row(what="Slack: acknowledgement of a command, p99", measured=round(statistics.quantiles(acks, n=100)[-1], 1), unit="ms", goal=200),
        Row(what=f"  while promotions run ({opened} opened), p50", measured=round(statistics.median(meanwhile), 1), unit="ms"),
        Row(what="  while promotions run, p99", measured=round(statistics.quantiles(meanwhile, n=100)[-1], 1), unit="ms", goal=200),
    ]


def acknowledged() -> list[float]:
    """Milliseconds until each command was acknowledged."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (root / "bot").mkdir()
        hub = Hub(root / "forge")
        stack.callback(hub.sandbox.stop)
        world = SlackWorld(root / "bot", hub, stack.enter_context(SlackSandbox()))
        stack.callback(world.close)
        promotion = world.opened()
        stack.enter_context(world.by_http())
        pool = stack.enter_context(ThreadPoolExecutor(TOGETHER))
        world.slack.slash("ana", CHANNEL, "/promote", "ping")
        acks = list(pool.map(lambda _: world.slack.slash("ana", CHANNEL, "/promote", f"why #{promotion.number}"), range(COMMANDS)))
        refused = [ack.status for ack in acks if ack.status != 200]
        if refused:
            raise SystemExit(f"{len(refused)} commands were not taken: {refused[0]}")
        until(lambda: len(world.answers("ana")) > COMMANDS // 2, seconds=120)
        return [1000 * ack.seconds for ack in acks]


def while_promotions_run() -> tuple[list[float], int]:
    """Milliseconds until each command was acknowledged, and how many promotions were opened in that time."""
    with beside(seconds=BUSY_SECONDS + 90) as world, ThreadPoolExecutor(TOGETHER) as pool:
        team, people, before = world.team(), world.people(), world.pulls()
        world.slash("ping", user=people[0], team=team)
        began, acks = time.monotonic(), []
        for number in range(BUSY_SECONDS * PER_SECOND):
            time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
            if number % (RELEASE_EVERY * PER_SECOND) == 0:
                pool.submit(world.release, RELEASED[number // (RELEASE_EVERY * PER_SECOND) % len(RELEASED)])
            acks.append(pool.submit(world.slash, "status payments", user=people[0], team=team))
        found = [ack.result() for ack in acks]
        opened = world.pulls() - before
    if not opened or any(status != 200 for status, _ in found):
        raise SystemExit(f"{opened} promotions were opened; the acknowledgements were {sorted({status for status, _ in found})}")
    return [1000 * seconds for _, seconds in found], opened
