# ruff: noqa: E501
"""YAML texts for property tests: any tree, written in any layout that a person or a tool might choose.

The writer here is the tests' own, so that layouts which no library writes (comments everywhere, mixed styles, odd indentation) are tried too.
"""

import json

import yaml
from hypothesis import strategies as st

WORDS = st.sampled_from(
    ["v1", "1.10", "on", "null", "~", "a b", "x: y", "# c", "é🚀", "'", '"', "\\", "a#b", "0o7", "2026-01-02", "", "-", "- a", "{a}", "[", "&a", "*a", "!t", "%", "@x", "`",
     "a\tb", "1:30", "key", "acme/api:1", "a,b", "?", "? a", ":", "a:", "|", ">", "=", "<<x", "true", "1e3", "...", "---", "a'b\"c", " lead", "trail ", "v1\n", "a\nb\n", "x\n\n", "\nx\n"]
)  # fmt: skip
TEXTS = WORDS | st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
KEYS = st.text(alphabet="abcdefgh", min_size=1, max_size=5) | st.sampled_from(["a/b", "c~d", "e f", "1", "é", "x.y", "on", "a:b", "", "'"])
TREES = st.recursive(
    TEXTS | st.integers(-5, 50) | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False, width=16),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
ROOTS = st.dictionaries(KEYS, TREES, min_size=1, max_size=4) | st.lists(TREES, min_size=1, max_size=4)
VERSIONS = st.one_of(
    st.from_regex(r"v?[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?(-rc\.[0-9])?", fullmatch=True),
    st.from_regex(r"[0-9a-f]{7}", fullmatch=True),
    st.sampled_from(["on", "No", "null", "1e3", "0o17", "1_000", "2026-01-02", "~", "=", "<<", "y", "1:30", ">=1.2 <2", "^1.2", "a: b", "x # y", "[1]", "*", "&a", "'", '"', "\\n"]),
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=10),
)  # fmt: skip

PROPERTIES = st.sampled_from([""] * 12 + ["&x ", "!!str ", "&y !!str ", "!!str &x "])
"""What may stand before a value: an anchor, a tag, both."""


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A tree written as YAML: by PyYAML in several layouts, as JSON, or by hand with comments."""
    tree = draw(ROOTS)
    match draw(st.sampled_from(["block", "flow", "mixed", "quoted", "json", "pretty", "hand", "hand", "hand"])):
        case "block":
            text = yaml.safe_dump(
                tree, default_flow_style=False, allow_unicode=draw(st.booleans()), width=draw(st.sampled_from([5, 80, 9999]))
            )
        case "flow":
            text = yaml.safe_dump(tree, default_flow_style=True, allow_unicode=True)
        case "mixed":
            text = yaml.safe_dump(tree, default_flow_style=None, indent=draw(st.integers(2, 9)), explicit_start=draw(st.booleans()))
        case "quoted":
            text = yaml.safe_dump(tree, default_style=draw(st.sampled_from(["'", '"', "|", ">"])), allow_unicode=True)
        case "json":
            text = json.dumps(tree, ensure_ascii=draw(st.booleans()))
        case "pretty":
            text = json.dumps(tree, indent=2)
        case _:
            text = draw(by_hand(tree))
    if draw(st.booleans()):
        text = "# head\n" + text
    line_end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    text = text.replace("\n", line_end)
    return text.rstrip("\r\n") if draw(st.booleans()) and "|" not in text and ">" not in text else text


@st.composite
def by_hand(draw: st.DrawFn, tree: object, indent: int = 0) -> str:
    """Block style with random quotes, comments, blank lines, spaces around colons and flow collections."""
    pad = " " * indent
    lines = []
    items = list(tree.items()) if isinstance(tree, dict) else [(None, item) for item in tree] if isinstance(tree, list) else []
    for key, value in items:
        head = "-" if key is None else scalar(draw, key, key=True) + draw(st.sampled_from(["", " "])) + ":"
        if draw(st.integers(0, 9)) == 0:
            lines.append(draw(st.sampled_from(["", pad + "# comment", pad + "  # v1"])))
        comment = draw(st.sampled_from(["", "", "", "  # keep me", " #\tx"]))
        if isinstance(value, dict | list) and value and draw(st.integers(0, 3)):
            lines.append(pad + head + comment)
            lines.append(draw(by_hand(value, indent + draw(st.integers(1, 4)))).rstrip("\n"))
        elif isinstance(value, dict | list):
            lines.append(f"{pad}{head} {json.dumps(value, ensure_ascii=False)}{comment}")
        elif value is None:
            lines.append(pad + head + comment)
        elif draw(st.integers(0, 30)) == 0:
            lines.append(f"{pad}{head} *x{comment}")  # of no use where no anchor stands before it: then the text is put aside
        else:
            lines.append(f"{pad}{head} {draw(PROPERTIES)}{scalar(draw, value)}{comment}")
    return "\n".join(lines) + "\n"


def scalar(draw: st.DrawFn, value: object, *, key: bool = False) -> str:
    """One scalar in a style that can hold it."""
    text = value if isinstance(value, str) else json.dumps(value)
    styles = ['"'] if not text.isprintable() or "\\" in text else ["'", '"']
    if text and text.isascii() and text[0].isalnum() and text.replace(".", "").replace("-", "").isalnum() and (key or text == value):
        styles.append("plain")
    if not isinstance(value, str):
        return text
    match draw(st.sampled_from(styles)):
        case "'":
            return "'" + text.replace("'", "''") + "'"
        case '"':
            return json.dumps(text, ensure_ascii=draw(st.booleans()))
        case _:
            return text
