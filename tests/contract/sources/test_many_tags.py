"""A registry with fifty thousand tags is read in bounded time and requests, and the newest is found."""

import json
import time
from itertools import count

from bot.config.artifacts import Watch
from bot.planning.picking import pick
from tests.contract.sources.conftest import facts_of
from tests.contract.sources.test_hostile_registry import IMAGE, by
from tests.support.far_side import Asked, answer, far_side

TAGS = [f"{number // 1000}.{number // 10 % 100}.{number % 10}" for number in range(25_000)] + [
    f"sha-{number:07x}" for number in range(25_000)
]
PAGE = 1_000


def test_fifty_thousand_tags_cost_fifty_requests_and_little_time() -> None:
    pages = count()

    def reply(_asked: Asked) -> bytes:
        page = next(pages)
        link = {"link": f"</v2/acme/app/tags/list?last={page}>; rel=next"} if (page + 1) * PAGE < len(TAGS) else {}
        return answer(json.dumps({"tags": TAGS[page * PAGE : (page + 1) * PAGE]}).encode(), **link)

    with far_side(by(reply)) as far:
        client, repository = facts_of(far.url)._registries.of(IMAGE)
        found = client.tags(repository)
    assert found is not None
    assert (len(far.asked), len(found.names)) == (50, len(TAGS))
    began = time.process_time()
    assert pick(Watch.model_validate({"image": IMAGE}), found.names, built=lambda _tag: None).tag == "24.99.9"
    assert time.process_time() - began < 5
