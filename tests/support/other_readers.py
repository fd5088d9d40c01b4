"""YAML readers of other languages, where this machine has them: npm's `yaml` through node, Go's yaml.v3 through a built reader.

`NODE_PATH` says where npm's package lies, if not beside the repository. `GO_YAML_READER` names the program built from
`readers/leaves.go` (`go build` in a module that has gopkg.in/yaml.v3).
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

Leaves = list[tuple[str, str, str]]
"""(JSON Pointer, kind, text) of each value that is no collection; the kind of a string is `text`."""
HERE = Path(__file__).parent / "readers"


def node_with_yaml() -> str:
    """The path of a node that has npm's `yaml`; skips the test where there is none."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if subprocess.run([node, "-e", "require('yaml')"], capture_output=True, check=False, cwd=HERE).returncode:
        pytest.skip("node has no package `yaml`: npm install yaml, and set NODE_PATH to its node_modules")
    return node


def go_reader() -> str:
    """The built Go reader; skips the test where there is none."""
    program = shutil.which(os.environ.get("GO_YAML_READER", "go-yaml-leaves"))
    if program is None:
        pytest.skip("no Go reader: build tests/support/readers/leaves.go and set GO_YAML_READER to it")
    return program


def read_all(command: list[str], texts: list[str]) -> list[dict[str, list[Leaves] | None]]:
    """What each reader of the program makes of each text: its documents' values, None where it cannot read it."""
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    done = subprocess.run(command, input=lines.encode(), capture_output=True, check=True, cwd=HERE, timeout=120)
    return [{name: _tuples(documents) for name, documents in json.loads(line).items()} for line in done.stdout.splitlines()]


def _tuples(documents: Any) -> list[Leaves] | None:
    return None if documents is None else [[(path, kind, text) for path, kind, text in document] for document in documents]
