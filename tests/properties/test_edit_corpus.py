"""Real files, as ordinary packages on this machine ship them: an edit of any scalar in them changes that scalar alone, or is refused.

The corpus is whatever YAML and JSON the Python environment and the system hold, plus the example environments; a fixed seed picks places.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import yaml

from bot.manifests import EditRefused, edit, find_slots

ROOT = Path(__file__).parents[2]
PLACES = [ROOT / "environments", Path(sys.prefix), Path("/usr/share"), Path("/usr/lib")]
FILES = int(os.environ.get("EDIT_CORPUS", "150"))
LARGEST = 30_000
VERSIONS = ["1.10", "v2.0.0-rc.1", "7e12345", "on", "2026-01-02", "~1.2", ">=1 <2", "main"]


def corpus() -> Iterator[tuple[Path, str]]:
    """Readable YAML and JSON files, in a mixed but repeatable order."""
    for place in PLACES:
        found = [Path(folder, name) for folder, _, names in os.walk(place) for name in names if name.endswith((".yaml", ".yml", ".json"))]
        found.sort()
        Random(1).shuffle(found)
        for file in islice(found, FILES):
            try:
                if file.stat().st_size < LARGEST and not file.is_symlink():
                    yield file, file.read_bytes().decode("utf-8")
            except (OSError, UnicodeDecodeError):
                continue


def leaves(node: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str, str]]:
    if isinstance(node, yaml.MappingNode):
        return [leaf for key, value in node.value for leaf in leaves(value, (*path, str(key.value)))]
    if isinstance(node, yaml.SequenceNode):
        return [leaf for index, value in enumerate(node.value) for leaf in leaves(value, (*path, str(index)))]
    return [(path, node.tag, node.value)]


def test_real_files_are_never_harmed() -> None:
    random = Random(7)
    outcomes: Counter[str] = Counter()
    for file, text in corpus():
        try:
            documents = [leaves(node) for node in yaml.compose_all(text, Loader=yaml.CSafeLoader)]
        except (yaml.YAMLError, RecursionError):
            continue
        find_slots(file.name, text.encode())
        choices = [(index, leaf) for index, document in enumerate(documents) for leaf in document]
        for index, (path, _, _) in random.sample(choices, min(2, len(choices))):
            new = random.choice(VERSIONS)
            pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path)
            try:
                edited = edit(text.encode(), {"pointer": pointer, "doc": {"index": index}}, new).decode()
            except EditRefused as refusal:
                outcomes[refusal.code] += 1
                continue
            outcomes["edited"] += 1
            after = [leaves(node) for node in yaml.compose_all(edited, Loader=yaml.CSafeLoader)]
            expected = [
                [(one[0], "tag:yaml.org,2002:str", new) if place == index and one[0] == path and one[2] != new else one for one in document]
                for place, document in enumerate(documents)
            ]
            assert after == expected, file
            assert edited.count("\n") == text.count("\n"), file
    assert outcomes["edited"] > 100, outcomes
    assert outcomes["edited"] > 0.6 * outcomes.total(), outcomes
