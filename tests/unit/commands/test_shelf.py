"""The shelf of verbs: a new file is a new verb, names are taken once, and the list for other programs says what the grammar says."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.commands import verbs as folder
from bot.commands.grammar import parse
from bot.commands.model import Argument, Call, Effect, Flag, Misread, Outcome, Role, Spec, Verb
from bot.commands.shelf import as_rows, verbs

FILE = """
from bot.commands.model import Effect, Outcome, Role, Spec, Verb
SPEC = Spec(verb="{name}", role=Role.VIEWER, help="x", aliases=({alias!r},))
VERB = Verb(spec=SPEC, carry=lambda call, scene: Effect(outcome=Outcome.ASKED))
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    """A folder whose files are verbs as well, until the test is over."""
    folder.__path__.append(str(tmp_path))
    verbs.cache_clear()
    yield tmp_path
    folder.__path__.remove(str(tmp_path))
    verbs.cache_clear()
    for name in [name for name, module in sys.modules.items() if str(tmp_path) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]


def test_a_new_file_is_a_new_verb_and_what_begins_with_a_line_is_none(shelf: Path) -> None:
    (shelf / "sing.py").write_text(FILE.format(name="sing", alias="hum"))
    (shelf / "_notes.py").write_text("raise AssertionError('this is no verb')")
    assert verbs()["sing"].spec.aliases == ("hum",)
    found = parse("hum", verbs())
    assert isinstance(found, Call)
    assert found.verb == "sing"


@pytest.mark.parametrize(("name", "alias"), [("approve", "sing"), ("sing", "deploy")])
def test_a_name_is_taken_once(shelf: Path, name: str, alias: str) -> None:
    (shelf / "zz.py").write_text(FILE.format(name=name, alias=alias))
    with pytest.raises(ValueError, match="is a name of both"):
        verbs()


def test_the_list_for_other_programs_is_plain_data_and_complete() -> None:
    rows = json.loads(json.dumps(as_rows()))
    assert [row["verb"] for row in rows] == list(verbs())
    for row in rows:
        spec = verbs()[row["verb"]].spec
        assert row["role"] == spec.role.value
        assert row["help"] == spec.help
        names = [one["name"] for one in row["arguments"]]
        assert names == [one.name for one in spec.arguments] + [f"--{one.name}" for one in spec.flags]
        assert {one["name"] for one in row["arguments"] if one["required"]} == {
            *(one.name for one in spec.arguments if one.required),
            *(f"--{one.name}" for one in spec.flags if one.required),
        }


SWITCH = Verb(
    spec=Spec(
        verb="sing",
        role=Role.VIEWER,
        help="Sings.",
        arguments=(Argument(name="song", help="Which.", required=False),),
        flags=(Flag(name="loud", value="", help="Loudly."), Flag(name="key", help="In which key.")),
    ),
    carry=lambda call, scene: Effect(outcome=Outcome.ASKED),
)


@pytest.mark.parametrize(
    ("line", "flags"),
    [("sing --loud", {"loud": "yes"}), ("sing --loud carol", {"loud": "yes"}), ("sing --KEY=c --loud", {"key": "c", "loud": "yes"})],
)
def test_a_flag_without_a_value_is_a_switch(line: str, flags: dict[str, str]) -> None:
    found = parse(line, {"sing": SWITCH})
    assert isinstance(found, Call)
    assert found.flags == flags
    assert found.words == (("carol",) if "carol" in line else ())


def test_a_switch_takes_no_value() -> None:
    found = parse("sing --loud=very", {"sing": SWITCH})
    assert isinstance(found, Misread)
    assert found.what == "--loud takes no value."
    assert "sing [song] [--loud] [--key" in found.fix
