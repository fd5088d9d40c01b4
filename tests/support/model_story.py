"""What a story told by hand in the model's world is made of: a version that is pushed, minutes that pass, what people see."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.support.model_world import BOT, DEVELOPER, STAGES, ModelWorld, manifest, path_of


def push(world: ModelWorld, version: str) -> None:
    files = {path_of("web"): manifest("web", version)}
    world.github.push(world.repository("dev"), "main", files, message=f"web {version}", author=DEVELOPER)


def until(world: ModelWorld, condition: Callable[[], Any], rounds: int = 40) -> None:
    for _ in range(rounds):
        if condition():
            return
        go_on(world, 1)
    raise AssertionError("it never came to that")


def go_on(world: ModelWorld, rounds: int) -> None:
    for _ in range(rounds):
        world.advance(timedelta(minutes=1))
        for stage in STAGES:
            world.look(stage)
            world.look(stage)


def pulls(world: ModelWorld, stage: str) -> list[Any]:
    return list(world.github.pulls(world.repository(stage)))


def faces(pull: Any) -> list[str]:
    return [one.body for one in pull.comments if one.author.login == BOT and one.body.lstrip().startswith("###")]
