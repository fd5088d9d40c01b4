"""From a text to calls: which lines are commands, and what each of them says. Pure, and linear in the text's length.

Decides what counts as a command (prefix at column 0, a known verb, the arguments its spec allows) and how a mistyped one is told.
Which lines may hold one is `markdown`'s word; who may, and what follows, is decided later.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from bot.commands.markdown import paragraph_lines
from bot.commands.model import Call, Misread, Verb

PREFIX = "/promote"
MOST = 10
"""So many commands of one comment are carried out; the others are told."""
LONGEST_LINE = 2_000

_QUOTES = '"“”'
_DASHES = "—"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a line; a quoted one is never a flag."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a comment says to the bot: its commands in order, and how many more there were than are carried out."""

    calls: tuple[Call | Misread, ...] = ()
    left_out: int = 0


@lru_cache(maxsize=64)
def _start(prefixes: tuple[str, ...]) -> re.Pattern[str]:
    """A line that begins with the prefix, followed by a blank or nothing. ASCII only: no look-alike sign is ever folded."""
    return re.compile(rf"(?:{'|'.join(map(re.escape, prefixes))})(?:[ \t]+(.*))?[ \t]*\Z", re.IGNORECASE | re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """How a line speaks to the bot: by one of these prefixes, or where `bare` is set by a known verb itself (`/approve`)."""

    prefixes: tuple[str, ...] = (PREFIX,)
    bare: bool = False

    def may_stand_in(self, text: str) -> bool:
        """False when nothing in the text can be a command: cheap, and never wrong in that direction."""
        lowered = text.lower()
        return (self.bare and "/" in text) or any(prefix.lower() in lowered for prefix in self.prefixes)

    def rest(self, line: str, verbs: Mapping[str, Verb]) -> str | None:
        """The line without what speaks to the bot; None where it does not."""
        match = _start(self.prefixes).match(line)
        if match is not None:
            return match[1] or ""
        bare = _BARE.match(line) if self.bare else None
        return line[1:] if bare is not None and bare[1].lower() in by_name(verbs) else None


_BARE = re.compile(r"/([a-z-]{1,40})(?:[ \t]|\Z)", re.IGNORECASE | re.ASCII)


def address_of(login: str, *, prefixes: tuple[str, ...] = (), bare: bool = False) -> Address:
    """By the usual prefix, by the name of the App that writes under `login` (`slug[bot]`), and by what else is configured."""
    slug = login.removesuffix("[bot]")
    named = (f"@{login}", f"@{slug}") if slug != login else ()
    return Address(prefixes=(PREFIX, *named, *prefixes), bare=bare)


def read(text: str, verbs: Mapping[str, Verb], *, address: Address = Address()) -> Reading:
    """All commands of a comment or review."""
    if not address.may_stand_in(text):
        return Reading()
    hits = [(number, rest) for number, line in paragraph_lines(text) if (rest := address.rest(line, verbs)) is not None]
    calls = tuple(parse(rest, verbs, line=number) for number, rest in hits[:MOST])
    return Reading(calls=calls, left_out=max(0, len(hits) - MOST))


def parse(text: str, verbs: Mapping[str, Verb], *, line: int = 1) -> Call | Misread:
    """One line without its prefix, as Slack, the command line and the HTTP interface give it too. Nothing at all means `help`."""
    shown = text.strip(" \t")[:LONGEST_LINE]
    if any(sign in text for sign in "\n\r\0"):
        return Misread(what="A command stands on one line.", fix="Take the line ends out.", text=shown, line=line)
    if len(text) > LONGEST_LINE:
        return Misread(what=f"The line is longer than {LONGEST_LINE} signs.", fix="Shorten the reason.", text=shown[:60] + "…", line=line)
    words = _words(text)
    if words is None:
        return Misread(what="A quotation mark is not closed.", fix='Write texts as --reason "like this".', text=shown, line=line)
    if not words:
        return Call(verb="help", text=shown, line=line)
    verb, rest = _verb(words, verbs)
    if verb is None:
        return _unknown(words[0].text, verbs, shown, line)
    return _fit(verb, rest, shown, line)


def _verb(words: Sequence[Word], verbs: Mapping[str, Verb]) -> tuple[Verb | None, Sequence[Word]]:
    """The verb, by its name or an alias of one or two words."""
    first = words[0].text.lower()
    if len(words) > 1:
        pair = by_name(verbs).get(f"{first} {words[1].text.lower()}")
        if pair is not None:
            return pair, words[2:]
    return by_name(verbs).get(first), words[1:]


def by_name(verbs: Mapping[str, Verb]) -> dict[str, Verb]:
    """All verbs by every name they go under."""
    return {name: verb for verb in verbs.values() for name in (verb.spec.verb, *verb.spec.aliases)}


def _unknown(name: str, verbs: Mapping[str, Verb], shown: str, line: int) -> Misread:
    near = get_close_matches(name.lower()[:40], list(by_name(verbs)), n=1, cutoff=0.6)
    hint = f"Did you mean `{PREFIX} {near[0]}`? " if near else ""
    return Misread(what=f"{_quote(name)} is no command.", fix=f"{hint}`{PREFIX} help` lists them.", text=shown, line=line)


def _fit(verb: Verb, words: Sequence[Word], shown: str, line: int) -> Call | Misread:
    """The words sorted into arguments and flags, as the spec allows."""
    spec = verb.spec

    def wrong(what: str) -> Misread:
        return Misread(what=what, fix=f"Type it as `{PREFIX} {spec.usage}`.", text=shown, line=line)

    cancel = spec.cancels and bool(words) and not words[0].quoted and words[0].text.lower() == "cancel"
    todo = list(words[1:] if cancel else words)
    known = {flag.name: flag for flag in spec.flags}
    plain: list[str] = []
    flags: dict[str, str] = {}
    while todo:
        word = todo.pop(0)
        if word.quoted or not word.text.startswith("--"):
            plain.append(word.text)
            continue
        name, equals, value = word.text[2:].partition("=")
        flag = known.get(name.lower())
        if flag is None:
            return wrong(f"`{spec.verb}` has no flag {_quote('--' + name)}.")
        if flag.name in flags:
            return wrong(f"--{flag.name} is given twice.")
        if not flag.value:
            if equals:
                return wrong(f"--{flag.name} takes no value.")
            flags[flag.name] = "yes"
            continue
        if not equals:
            if not todo or (todo[0].text.startswith("--") and not todo[0].quoted):
                return wrong(f"--{flag.name} needs a value.")
            value = todo.pop(0).text
        if not value.strip():
            return wrong(f"--{flag.name} needs a value.")
        flags[flag.name] = value
    missing = [argument.name for argument in spec.arguments if argument.required][len(plain) :]
    if missing:
        return wrong(f"`{spec.verb}{' cancel' if cancel else ''}` needs <{missing[0]}>.")
    if len(plain) > len(spec.arguments):
        return wrong(f"{_quote(plain[len(spec.arguments)])} is one word too many for `{spec.verb}`; texts stand in double quotes.")
    absent = [flag.name for flag in spec.flags if flag.required and flag.name not in flags and not cancel]
    if absent:
        return wrong(f"`{spec.verb}` needs --{absent[0]}.")
    return Call(verb=spec.verb, words=tuple(plain), flags=flags, cancel=cancel, text=shown, line=line)


def _words(text: str) -> list[Word] | None:
    """Words parted by blanks; double quotes, straight or curly, hold a text together; None when one is not closed."""
    found: list[Word] = []
    position, end = 0, len(text)
    while position < end:
        if text[position] in " \t":
            position += 1
            continue
        signs: list[str] = []
        quoted = text[position] in _QUOTES
        if text[position] in _DASHES and position + 1 < end and text[position + 1].isalpha():
            signs.append("--")
            position += 1
        while position < end and text[position] not in " \t":
            if text[position] not in _QUOTES:
                signs.append(text[position])
                position += 1
                continue
            position += 1
            while position < end and text[position] not in _QUOTES:
                if text[position] == "\\" and position + 1 < end and (text[position + 1] in _QUOTES or text[position + 1] == "\\"):
                    position += 1
                signs.append(text[position])
                position += 1
            if position >= end:
                return None
            position += 1
        found.append(Word(text="".join(signs), quoted=quoted))
    return found


def in_quotes(text: str) -> str:
    """A text as one word of a line, whatever stands in it: what `parse` reads back as it was."""
    return '"' + "".join(f"\\{sign}" if sign in _QUOTES or sign == "\\" else sign for sign in text) + '"'


def _quote(text: str) -> str:
    """What somebody typed, for a sentence: short, in a code span, without signs that could do something."""
    clean = "".join(sign if sign.isprintable() and sign != "`" else "·" for sign in text)
    return f"`{clean[:40]}{'…' if len(clean) > 40 else ''}`"
