"""What changes in the rendered objects stands in the pull request's text, before the hidden marker; and holds nothing up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bot.domain.errors import TransientError
from bot.domain.rendered import FieldChange, ObjectChange, Rendered
from bot.planning.face import opening, renewing
from bot.reconcile.apply import apply
from tests.contract.reconcile.stage_world import PATH, StageWorld, manifest


class Recording:
    """Answers as told, and remembers what it was asked."""

    def __init__(self, *found: Rendered, fails: Exception | None = None) -> None:
        self.found = found
        self.fails = fails
        self.asked: list[tuple[str, dict[str, bytes]]] = []

    def render(self, repository: str, commit: str, files: Mapping[str, bytes]) -> Sequence[Rendered]:
        self.asked.append((commit, dict(files)))
        if self.fails is not None:
            raise self.fails
        return self.found


FIELD = FieldChange(path="/spec/image", old="a:1", new="a:2")
CHANGE = ObjectChange(what="changed", kind="Deployment", namespace="shop", name="payments", fields=(FIELD,))


def test_the_section_stands_before_the_marker(world: StageWorld) -> None:
    renderer = Recording(Rendered(folder="payments", tool="kustomize", objects=(CHANGE,)))
    promotion = world.promotion()
    apply(replace(world.tools(), renderer=renderer), opening(promotion))
    body = world.hub.pull(world.repo, 1).body
    assert "- `Deployment shop/payments` changed\n  - `/spec/image`: `a:1` → `a:2`" in body
    assert body.index("<details>") < body.index("<!-- promotion-bot ")
    assert renderer.asked == [(promotion.base, {PATH: manifest("1.1.0").encode()})]


def test_a_newer_version_is_rendered_from_the_base_not_from_the_branch(world: StageWorld) -> None:
    renderer = Recording(Rendered(folder="payments", tool="kustomize", problem="took too long"))
    tools = replace(world.tools(), renderer=renderer)
    apply(tools, opening(world.promotion()))
    old, newer = world.only(), world.promotion(new="1.2.0")
    apply(tools, renewing(replace(newer, number=old.number, url=old.url), replaces=old))
    assert renderer.asked[-1] == (newer.base, {PATH: manifest("1.2.0").encode()})
    assert "Not rendered: took too long" in world.hub.pull(world.repo, 1).body


@pytest.mark.parametrize("renderer", [Recording(), Recording(fails=TransientError("gone")), Recording(fails=OSError("no fork"))])
def test_whatever_goes_wrong_the_promotion_is_opened(world: StageWorld, renderer: Recording) -> None:
    apply(replace(world.tools(), renderer=renderer), opening(world.promotion()))
    assert "<details>" not in world.hub.pull(world.repo, 1).body
