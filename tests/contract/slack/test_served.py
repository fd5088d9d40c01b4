"""The served bot hears Slack where its secrets are set, and acknowledges quickly while it works."""

import statistics
from concurrent.futures import ThreadPoolExecutor

from tests.contract.slack.slack_world import CHANNEL, SlackWorld, until

CLICKS = 60


def test_acknowledgements_stay_quick_while_commands_are_carried_out(world: SlackWorld) -> None:
    promotion = world.opened()
    with world.by_http(), ThreadPoolExecutor(4) as pool:
        world.slack.slash("ana", CHANNEL, "/promote", "ping")
        acks = list(pool.map(lambda _: world.slack.slash("ana", CHANNEL, "/promote", f"why #{promotion.number}"), range(CLICKS)))
        assert [ack.status for ack in acks] == [200] * CLICKS
        slowest = statistics.quantiles([ack.seconds for ack in acks], n=100)[-1]
        print(f"p50 {statistics.median(ack.seconds for ack in acks) * 1000:.0f} ms, p99 {slowest * 1000:.0f} ms")
        assert slowest < 1.5
        until(lambda: len(world.answers("ana")) == CLICKS + 1, seconds=30)
