# ruff: noqa: E501
"""`is_text` against the readers themselves: PyYAML (1.1), ruamel.yaml (1.1 and 1.2), and Go's `resolve.go` written out here."""

import re

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.yamltext import is_text
from bot.yamltext.quoting import fits_plain

NUMBERISH = st.text(alphabet="0123456789abcdefxobeEinfNAT._-+:~ y", min_size=1, max_size=10)
WORDS = st.sampled_from(
    ["y", "N", "yes", "No", "ON", "off", "true", "FALSE", "null", "Null", "~", "=", "<<", ".inf", "-.INF", ".NaN", "+.inf"]
)


def go_reads_text(text: str) -> bool:
    """`resolve` of yaml.v3, with v2's additional words; True where it returns a string."""
    if text[0] not in "+-0123456789yYnNtTfFoO~.<=":
        return True
    words = {"y", "yes", "on", "n", "no", "off", "true", "false", "null"}
    if text in ("~", "<<", "=") or re.fullmatch(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", text):
        return False
    if text.lower() in words and text in (text.lower(), text.upper(), text.capitalize()):
        return False
    if text[0] == ".":
        return not re.fullmatch(r"\.[0-9]+([eE][-+]?[0-9]+)?", text)
    if text[0] in "+-0123456789":
        if re.fullmatch(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]+)?(Z|[-+][0-9:]+)?)?", text):
            return False
        plain = text.replace("_", "")
        integer = r"[-+]?(0[bB][01]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)"
        floating = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        return not re.fullmatch(integer, plain) and not re.fullmatch(floating, plain)
    return True


def others_read_text(text: str) -> bool:
    if yaml.compose(text, Loader=yaml.SafeLoader).tag != "tag:yaml.org,2002:str":
        return False
    for version in ((1, 1), (1, 2)):
        reader = YAML(typ="safe", pure=True)
        reader.version = version  # type: ignore[assignment]
        if str(reader.compose(text).tag) != "tag:yaml.org,2002:str":
            return False
    return True


@settings(max_examples=600)
@given(text=NUMBERISH | WORDS | st.from_regex(r"[0-9a-f]{7}", fullmatch=True))
@example("1_0")
@example("685e523")
@example("0o7")
@example("0O7")
@example("190:20:30")
@example("2026-1-2")
@example("08")
def test_what_any_reader_takes_for_another_type_is_no_text(text: str) -> None:
    if text != text.strip() or not fits_plain(text, flow=False):
        return
    try:
        same = others_read_text(text)
    except (YAMLError, yaml.YAMLError, ValueError):
        return
    if not same or not go_reads_text(text):
        assert not is_text(text)


@pytest.mark.parametrize(
    "text",
    ["1.2.3", "v1", "1.x", "1.10.0", "nullable", "1.2.3-rc.1", "2026.01.02", "2026-01-02-1", "e5", "0b2", "0xg", "tRUE", "None", "nan", "inf",
     "1:60x", "1.2.3+b", "sha-1", "main", "a", "Yes1", "--1", "1-2", "0.0.1", "12ab", "7f3c2d1"],
)  # fmt: skip
def test_plain_versions_stay_plain(text: str) -> None:
    assert is_text(text)
