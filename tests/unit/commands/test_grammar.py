"""What counts as a command, and what never does: each row is a text that somebody might write."""

import time

import pytest

from bot.commands.grammar import MOST, Address, address_of, parse, read
from bot.commands.markdown import LONGEST
from bot.commands.model import Call, Misread
from bot.commands.shelf import verbs

CMD = "/promote approve"


def calls(text: str, **more: object) -> list[str]:
    found = read(text, verbs(), **more)  # type: ignore[arg-type]
    return [call.verb if isinstance(call, Call) else f"misread: {call.what}" for call in found.calls]


FIRES = {
    "alone": "/promote approve",
    "with a last line end": "/promote approve\n",
    "with blanks behind": "/promote approve  \t ",
    "with Windows line ends": "Looks good.\r\n/promote approve\r\nThanks\r\n",
    "after a text": "Looks good to me.\n/promote approve\n",
    "between paragraphs": "Hello\n\n/promote approve\n\nBye",
    "written by a telephone": "/Promote Approve",
    "shouted": "/PROMOTE APPROVE",
    "parted by a tab": "/promote\tapprove",
    "own text above an e-mail's quoted tail": "/promote approve\n\nOn Fri, Ana wrote:\n> /promote hold\n> text\n",
    "after a closed fence": "```\ncode\n```\n/promote approve",
    "after a quote and an empty line": "> quoted\n\n/promote approve",
    "after a closed folded part": "<details>\n<summary>x</summary>\n\ntext\n\n</details>\n\n/promote approve",
    "after inline code in the same paragraph": "use `x` here\n/promote approve",
    "after a lone backtick": "a ` lone one\n/promote approve",
    "after an escaped backtick": "not \\`code\n/promote approve\nstill not\\` code",
    "after a comment that is closed": "text <!-- a note --> more\n/promote approve",
    "after less-than": "if a < b\n/promote approve\nand c > d",
    "after an unclosed tag": "see <b\n/promote approve",
    "after dashes that rule no table": "a | b | c\n-- | --\n/promote approve",
    "under a heading": "# Title\n/promote approve",
    "after a link": "see [x](y) and it's\n/promote approve",
    "after a link that never ends": "see [x](y\n/promote approve",
    "after a reference": '[a]: x "title"\n/promote approve',
    "between two links": "[x](y)\n/promote approve\n[x](y)",
    "in emphasis": "*see\n/promote approve\nabove*",
    "after a rule": "---\n/promote approve",
    "after a table and an empty line": "| a |\n|---|\n| b |\n\n/promote approve",
}

NEVER = {
    "fence": "```\n/promote approve\n```",
    "fence with a language": "```sh\n/promote approve\n```",
    "tilde fence": "~~~\n/promote approve\n~~~",
    "longer fence": "`````\n```\n/promote approve\n```\n`````",
    "fence that is never closed": "```\n/promote approve\n",
    "tilde fence around a backtick fence": "~~~~\n```\n~~~\n/promote approve",
    "indented code": "    /promote approve",
    "indented by a tab": "\t/promote approve",
    "inline code": "`/promote approve`",
    "inline code over three lines": "`\n/promote approve\n`",
    "inline code with two backticks over lines": "``\n/promote approve ` x\n``",
    "inline code begun in a sentence": "type `this\n/promote approve\nnow`",
    "quote": "> /promote approve",
    "lazy line of a quote": "> Ana wrote\n/promote approve",
    "nested quote": "> > /promote approve",
    "list": "- /promote approve",
    "continued list": "- do\n/promote approve",
    "numbered list": "1. /promote approve",
    "task": "- [ ] /promote approve",
    "table": "| a | b |\n|---|---|\n/promote approve | x |",
    "table without outer bars": "a | b\n-- | --\n/promote approve | x\n/promote approve",
    "table under a sentence": "See:\n| a |\n|---|\n/promote approve",
    "table with one column": "| a |\n| :-: |\n| b |\n/promote approve",
    "HTML comment": "<!--\n/promote approve\n-->",
    "HTML comment that is never closed": "<!--\n/promote approve\n",
    "HTML comment begun in a sentence": "text <!-- hidden\n/promote approve\n--> more",
    "attribute of a tag over lines": 'text <a title="\n/promote approve\n">x</a>',
    "HTML block": "<div>\n/promote approve\n</div>",
    "folded part": "<details>\n/promote approve\n</details>",
    "folded part with empty lines": "<details>\n\n/promote approve\n\n</details>",
    "folded part inside another": "<details>\n\n<details>\n\n</details>\n\n/promote approve\n\n</details>",
    "preformatted": "<pre>\n\n/promote approve\n</pre>",
    "heading": "# /promote approve",
    "underlined heading": "/promote approve\n===",
    "in the middle of a line": "please /promote approve",
    "one blank before": " /promote approve",
    "three blanks before": "   /promote approve",
    "longer word": "/promoted approve",
    "other word": "/promote-all approve",
    "glued to a colon": "/promote: approve",
    "zero-width space before": "\u200b/promote approve",
    "zero-width space inside": "/pro\u200bmote approve",
    "byte order mark before": "\ufeff/promote approve",
    "full-width slash": "／promote approve",
    "division slash": "\u2215promote approve",
    "Cyrillic o": "/pr\u043emote approve",
    "no-break space": "/promote\u00a0approve",
    "ideographic space": "/promote\u3000approve",
    "right-to-left override before": "\u202e/promote approve",
    "line separator is no line end": "text\u2028/promote approve",
    "vertical tab": "/promote\x0bapprove",
    "link": "[/promote approve](https://example.org)",
    "bold": "**/promote approve**",
    "struck out": "~~/promote approve~~",
    "backslash": "\\/promote approve",
    "entity": "&#47;promote approve",
    "footnote": "[^1]: /promote approve",
    "title of a link over lines": '[x](y "\n/promote approve\n")',
    "address of a link over lines": "[x](\n/promote approve\n)",
    "words of an image": "![a\n/promote approve\n](x)",
    "title of a reference over lines": '[a]: x "\n/promote approve\n"\n',
    "bare verb": "/approve",
    "another bot's prefix": "/lgtm",
    "signature": "-- \n> /promote approve",
    "empty": "",
}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES.keys())
def test_fires(text: str) -> None:
    assert calls(text) == ["approve"]


@pytest.mark.parametrize("text", NEVER.values(), ids=NEVER.keys())
def test_never_fires_and_is_not_answered(text: str) -> None:
    assert calls(text) == []


def test_several_in_their_order_with_their_lines() -> None:
    found = read("hi\n/promote status\n/promote hold --reason x\n\n/promote why", verbs())
    assert [(call.line, call.text) for call in found.calls] == [(2, "status"), (3, "hold --reason x"), (5, "why")]


def test_ten_of_a_comment_count() -> None:
    found = read("\n".join([CMD] * 3_000), verbs())
    assert (len(found.calls), found.left_out) == (MOST, 3_000 - MOST)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@promotion-bot approve", ["approve"]),
        ("@Promotion-Bot approve", ["approve"]),
        ("@promotion-bot[bot] approve", ["approve"]),
        ("@promotion-bot", ["help"]),
        ("/promote approve\n@promotion-bot why", ["approve", "why"]),
        ("/ship-it hold --reason x", ["hold"]),
        ("@promotion-bots approve", []),
        ("@promotion approve", []),
        ("thanks @promotion-bot approve", []),
        ("> @promotion-bot approve", []),
        ("`@promotion-bot approve`", []),
        ("@promotionXbot approve", []),
        ("/approve", []),
    ],
)
def test_the_app_s_own_name_and_configured_prefixes_speak_to_the_bot_too(text: str, found: list[str]) -> None:
    address = address_of("promotion-bot[bot]", prefixes=("/ship-it",))
    assert calls(text, address=address) == found


def test_a_user_s_token_has_no_name_of_an_app() -> None:
    assert calls("@ana approve", address=address_of("ana")) == []
    assert calls("/promote approve", address=address_of("ana")) == ["approve"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/approve", ["approve"]),
        ("/Approve prod", ["approve"]),
        ("/remove-hold", ["unhold"]),
        ("/promote approve", ["approve"]),
        ("/hold", ["misread: `hold` needs --reason."]),
        ("/lgtm", []),
        ("/approved", []),
        ("/approve:", []),
        ("please /approve", []),
        ("> /approve", []),
        ("```\n/approve\n```", []),
        ("／approve", []),
        ("/promoted approve", []),
    ],
)
def test_bare_verbs_count_only_where_they_are_wanted_and_known(text: str, found: list[str]) -> None:
    assert calls(text, address=Address(bare=True)) == found
    assert calls(text) == [one for one in found if text.startswith("/promote ")]


@pytest.mark.parametrize(
    ("line", "words", "flags"),
    [
        ("approve prod", ("prod",), {}),
        ("approve —sha 3f2c1ab", (), {"sha": "3f2c1ab"}),
        ("approve --sha=3f2c1ab", (), {"sha": "3f2c1ab"}),
        ("approve --SHA 3f2c1ab", (), {"sha": "3f2c1ab"}),
        ("hold --reason “two words”", (), {"reason": "two words"}),
        ('hold --reason "a \\" b \\\\ c"', (), {"reason": 'a " b \\ c'}),
        ('hold --reason="two words" --until 4h', (), {"reason": "two words", "until": "4h"}),
        ('hold --reason "--until is a word here"', (), {"reason": "--until is a word here"}),
        ('hold --reason "$(id); rm -rf / | `x`"', (), {"reason": "$(id); rm -rf / | `x`"}),
        ("hold --reason a—b", (), {"reason": "a—b"}),
        ("freeze * --until 2d --reason x", ("*",), {"until": "2d", "reason": "x"}),
        ("veto payments@1.9.0 prod --reason x", ("payments@1.9.0", "prod"), {"reason": "x"}),
    ],
)
def test_arguments(line: str, words: tuple[str, ...], flags: dict[str, str]) -> None:
    call = parse(line, verbs())
    assert isinstance(call, Call), call
    assert (call.words, call.flags) == (words, flags)


@pytest.mark.parametrize(
    ("line", "verb", "cancel"),
    [
        ("", "help", False),
        ("?", "help", False),
        ("info", "status", False),
        ("approve cancel", "unapprove", False),
        ("HOLD Cancel", "unhold", False),
        ("remove-hold", "unhold", False),
        ("ship prod payments", "to", False),
        ("bad payments@1.9.0 --reason x", "veto", False),
        ("override cancel soak", "override", True),
        ("merge cancel", "merge", True),
        ("automerge", "merge", False),
        ("recreate", "rebase", False),
    ],
)
def test_aliases(line: str, verb: str, cancel: bool) -> None:
    call = parse(line, verbs())
    assert isinstance(call, Call), call
    assert (call.verb, call.cancel) == (verb, cancel)


@pytest.mark.parametrize(
    ("line", "what", "fix"),
    [
        ("aprove", "`aprove` is no command.", "`/promote approve`"),
        ("force-merge", "`force-merge` is no command.", "help"),
        ("hold", "needs --reason", "hold [stage] [service]"),
        ("hold --reason", "--reason needs a value.", "hold"),
        ("hold --reason three words too many", "one word too many", "hold"),
        ('hold --reason "open', "not closed", '"like this"'),
        ("hold --reason x --reason y", "given twice", "hold"),
        ("hold --because x", "no flag `--because`", "hold"),
        ("override", "needs <gate>", "override [cancel] <gate>"),
        ("approve prod now", "`now` is one word too many", "approve [stage]"),
        ('approve --sha ""', "--sha needs a value.", "approve"),
        ("<script>alert(1)</script>", "`<script>alert(1)</script>` is no command.", "help"),
        ("`x`\u202e", "`·x··` is no command.", "help"),
    ],
)
def test_mistyped_says_how(line: str, what: str, fix: str) -> None:
    found = parse(line, verbs())
    assert isinstance(found, Misread), found
    assert what in found.what
    assert fix in found.fix


def test_one_line_only() -> None:
    for text in ("approve\nhold", "approve\r", "approve\0", "x" * 3_000):
        assert isinstance(parse(text, verbs()), Misread)


FULL = LONGEST
HOSTILE = {
    "brackets": "[" * FULL,
    "nested quotes": ">" * FULL,
    "spaced quotes": "> " * (FULL // 2),
    "nested lists": "- " * (FULL // 2),
    "stairs of lists": "\n".join("  " * depth + "- x" for depth in range(250)),
    "backticks": "`" * FULL,
    "backticks of every length": " ".join("`" * length for length in range(360)),
    "lone backticks": "` a " * (FULL // 4),
    "less-than": "<" * FULL,
    "open tags": "<a " * (FULL // 3),
    "open attributes": '<a b="' * (FULL // 6),
    "wide attributes": "<a" + " " * FULL,
    "tags with wide gaps": ("<a" + " " * 500) * (FULL // 502),
    "open comments": "<!-- " * (FULL // 5),
    "half comments": "<!--x-" * (FULL // 6),
    "stars": "*a **a " * (FULL // 7),
    "tables": "|" * FULL,
    "wide table": "a|" * 200 + "\n" + "-|" * 200 + "\n" + "x\n" * 20_000,
    "references": "[a]: x\n" * (FULL // 7),
    "entities": "&amp;" * (FULL // 5),
    "backslashes": "\\" * FULL,
    "escaped backticks": "\\`" * (FULL // 2),
    "short lines": "x\n" * (FULL // 2),
    "line ends": "\n" * FULL,
    "details": "<details>\n\n" * (FULL // 11),
    "headings": "#" * FULL,
    "fences": "```\n" * (FULL // 4),
    "commands": "/promote approve\n" * (FULL // 17),
    "long command": "/promote " + "x " * (FULL // 2),
    "long flag": "/promote hold --reason " + '"' + "\\" * FULL,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_costs_little(text: str) -> None:
    assert len(text) <= FULL + 2_000
    body = f"{text[: FULL - 40]}\n\n/promote status"
    assert min(seconds(body) for _ in range(3)) < 0.3


def seconds(text: str) -> float:
    """What one reading costs; of several, the least counts: the machine may be busy with something else."""
    began = time.process_time()
    read(text, verbs())
    return time.process_time() - began


def test_after_ten_thousand_lines_nothing_is_read() -> None:
    assert calls("x\n\n" * 4_000 + CMD) == ["approve"]
    assert calls("x\n" * 12_000 + CMD) == []
    assert calls(CMD + "\n\n" + "x\n" * 12_000) == ["approve"]
    assert calls("x\n\n" * 4_999 + "`a\n" + CMD + "\n`") == []
