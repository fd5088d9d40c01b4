"""Differential test: readers of other languages see in an edited text exactly the addressed value changed, and as a string.

Each is shown the texts before and after: of the edit cases, and of edits in texts that hypothesis made. What a reader cannot read
before the edit says nothing; what it can, it must read after it.
"""

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.manifests import EditRefused, edit
from tests.properties.test_edit_one_span import pointer, read_1_1
from tests.support.other_readers import HERE, Leaves, go_reader, node_with_yaml, read_all
from tests.support.yaml_texts import VERSIONS, texts

ROOT = Path(__file__).parents[2]
EXAMPLES = int(os.environ.get("EDIT_EXAMPLES", "200"))
LONE_CR = re.compile(r"\r(?!\n)")
NO_FLOAT = re.compile(r"[-+]?\.?(?:[eE][-+]?[0-9]+)?\Z")
"""npm's `yaml` takes `e123456` and `+.` for floats where it is told to read YAML 1.1, whose floats have a dot and a digit."""


def test_node(edits_made: list[tuple[str, str, str, str]]) -> None:
    compare([node_with_yaml(), str(HERE / "leaves.cjs")], [row for row in edits_made if not LONE_CR.search(row[0])], at_least=100)


def test_go(edits_made: list[tuple[str, str, str, str]]) -> None:
    compare([go_reader()], edits_made, at_least=100)


def test_cases_node() -> None:
    compare_cases([node_with_yaml(), str(HERE / "leaves.cjs")])


def test_cases_go() -> None:
    compare_cases([go_reader()])


@pytest.fixture(scope="module")
def edits_made() -> list[tuple[str, str, str, str]]:
    """(text, pointer, new value, edited text) of edits that were made."""
    made: list[tuple[str, str, str, str]] = []

    @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(text=texts(), new=VERSIONS, data=st.data())
    def make(text: str, new: str, data: st.DataObject) -> None:
        try:
            path = data.draw(st.sampled_from(read_1_1(text) or [((), "", "")]))[0]
            edited = edit(text.encode(), {"pointer": pointer(path)}, new).decode()
        except (yaml.YAMLError, EditRefused):
            return
        if edited != text:
            made.append((text, pointer(path), new, edited))

    make()
    return made


def compare(command: list[str], made: list[tuple[str, str, str, str]], *, at_least: int) -> None:
    """Every reader of the program must agree that one value, and only that, became the new text."""
    read = read_all(command, [text for before, _, _, after in made for text in (before, after)])
    seen: Counter[str] = Counter()
    for (text, path, new, edited), before, after in zip(made, read[::2], read[1::2], strict=True):
        for name, documents in before.items():
            if documents is None or (name == "npm yaml 1.1" and NO_FLOAT.match(new)):
                continue
            wanted = [[(at, "text", new) if at == path else (at, kind, value) for at, kind, value in document] for document in documents]
            assert after[name] == wanted, (name, text, edited)
            seen[name] += 1
    assert seen
    assert min(seen.values()) >= min(at_least, EXAMPLES // 4), seen


def compare_cases(command: list[str]) -> None:
    """The cases that come out edited: as many values as were changed differ, and nothing else."""
    files = [(ROOT / "tests/data/edit" / name).read_text(encoding="utf-8") for name in ("cases.jsonl", "variants.jsonl")]
    told_of = [case for file in files for case in map(json.loads, file.split("\n")[:-1])]
    cases: list[dict[str, Any]] = [case for case in told_of if "expect" in case and not LONE_CR.search(case["content"])]
    read = read_all(command, [text for case in cases for text in (case["content"], case["expect"])])
    told = 0
    for case, before, after in zip(cases, read[::2], read[1::2], strict=True):
        for name, documents in before.items():
            if documents is None:
                continue
            changed = differences(documents, after[name])
            address, new = case["address"], case["new"]
            at_most = 1 if isinstance(new, str) else len(new)
            assert changed is not None, (name, case["title"])
            assert 1 <= len(changed) <= at_most or "count" in address or "regex" in address or case["content"] == case["expect"], (
                name,
                case["title"],
            )
            if isinstance(new, str) and address.keys() & {"path", "pointer"} and "embedded" not in address and not NO_FLOAT.match(new):
                assert all(kind == "text" and text in (new, f"{text.partition('=')[0]}={new}") for _, kind, text in changed), (
                    name,
                    case["title"],
                )
            told += 1
    assert told > 50


def differences(before: list[Leaves], after: list[Leaves] | None) -> Leaves | None:
    """The values that differ, as they read afterwards; None where the two are not the same shape."""
    if after is None or [[one[0] for one in document] for document in before] != [[one[0] for one in document] for document in after]:
        return None
    pairs = [pair for one, other in zip(before, after, strict=True) for pair in zip(one, other, strict=True)]
    return [other for one, other in pairs if one != other]
