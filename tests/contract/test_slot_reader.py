"""`SlotReader` on real repositories: reading what changed gives what reading everything gives, whatever was committed in between."""

import random
from pathlib import Path
from typing import Any

from bot.collectors.slots import SlotReader
from bot.config.schema import Config
from tests.contract.git_world import NAME, World, git

STAGES = {"dev": {"repository": NAME, "folder": "dev"}, "prod": {"repository": NAME, "folder": "prod", "after": "dev"}}


def config(**services: Any) -> Config:
    return Config.model_validate({"version": 1, "pipeline": {"stages": STAGES}, "services": services})


def pod(image: str) -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, image: {image}}}]}}\n"


def test_what_changed_is_read_as_if_everything_were(tmp_path: Path) -> None:
    world = World(tmp_path)
    dice = random.Random(7)
    names = [
        "dev/a.yaml",
        "dev/b.yaml",
        "dev/x/c.yaml",
        "dev/x.yaml",
        "dev/é ü.yaml",
        "dev/templates/t.yaml",
        "dev/.env",
        "prod/a.yaml",
        "z",
    ]
    standing: set[str] = set()
    place = {"file": "notes.txt", "address": {"regex": "api=(?P<version>\\S+)"}}
    settings = config(api={"images": ["acme/api"], "versions": {"dev": [place]}})
    bot = world.bot()
    reader = SlotReader(bot, settings)
    for step in range(14):
        change: dict[str, str | None] = {}
        for name in dice.sample(names, 3):
            gone = name in standing and dice.random() < 0.35
            change[name] = None if gone else dice.choice([pod(f"acme/api:{step}"), "x: 1\n", "image: *no\n", f"image: acme/web:{step}\n"])
        if step % 4 == 1:
            change["dev/notes.txt"] = f"api={step}\n"
        if step == 6:
            change["dev/notes.txt"] = None
        standing = (standing | change.keys()) - {name for name, text in change.items() if text is None}
        head = world.person(change, message=str(step))
        bot.refresh(NAME)
        for stage in STAGES:
            assert reader.read(stage, head) == SlotReader(bot, settings).read(stage, head), (step, stage, change)


def test_links_are_not_followed_and_a_rewritten_branch_is_read_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    first = world.person({"dev/a.yaml": pod("acme/api:1"), "dev/b.yaml": pod("acme/web:1")})
    bot = world.bot()
    bot.refresh(NAME)
    reader = SlotReader(bot, config())
    assert [slot.version.text for slot in reader.read("dev", first).slots] == ["1", "1"]
    (world.work / "dev/b.yaml").unlink()
    (world.work / "dev/b.yaml").symlink_to("a.yaml")
    second = world.person({"dev/new.yaml": "x: 1\n"})
    bot.refresh(NAME)
    assert [slot.path for slot in reader.read("dev", second).slots] == ["a.yaml"]
    git(world.work, "checkout", "-q", "--orphan", "other")
    third = world.person({"dev/a.yaml": pod("acme/api:3")})
    git(world.work, "push", "-q", "-f", "origin", f"{third}:refs/heads/main")
    bot.refresh(NAME)
    assert [slot.version.text for slot in reader.read("dev", third).slots] == ["3"]
    assert reader.read("dev", third) is reader.read("dev", third)


def test_a_named_place_takes_the_place_of_what_its_format_finds(tmp_path: Path) -> None:
    world = World(tmp_path)
    head = world.person({"dev/a.yaml": pod("acme/api:1")})
    bot = world.bot()
    bot.refresh(NAME)
    places = {"dev": [{"file": "a.yaml", "address": "/spec/containers/0/image"}, {"file": "none.yaml", "address": "/x"}]}
    found = SlotReader(bot, config(shop={"versions": places})).read("dev", head)
    assert [(slot.artifact, slot.version.text, slot.format) for slot in found.slots] == [("shop", "1", "address")]
    assert [(problem.path, problem.code) for problem in found.problems] == [("none.yaml", "NoMatch")]
