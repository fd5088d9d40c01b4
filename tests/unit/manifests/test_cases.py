# ruff: noqa: E501
"""Every edit case comes out byte for byte, or is refused with its code: from the data beside the tests, and from a newer set where one is at hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.manifests import EditRefused, edit

ROOT = Path(__file__).parents[3]
FILES = [ROOT / "tests/data/edit/cases.jsonl", ROOT / "tests/data/edit/variants.jsonl", ROOT.parent / "shared/yaml/cases.jsonl"]
CASES = {
    f"{case['cls']}: {case['title']}": case
    for file in FILES
    if file.exists()
    for case in map(json.loads, file.read_text(encoding="utf-8").split("\n")[:-1])
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_case(case: dict[str, Any]) -> None:
    content = case["content"].encode()
    if "expect_error" in case:
        with pytest.raises(EditRefused) as caught:
            edit(content, case["address"], case["new"])
        assert caught.value.code == case["expect_error"], caught.value
        assert caught.value.fix
        return
    assert edit(content, case["address"], case["new"]).decode() == case["expect"]


def test_there_are_cases() -> None:
    assert len(CASES) > 100
