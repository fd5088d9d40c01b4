"""Renders the part of Helm's template language that our own chart uses: a check of its shape, where no helm is at hand.

Knows `if/else/with/range/define/include/end`, variables, pipes and the functions below; anything else is an error, so that the chart
cannot begin to use what nobody checks.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import yaml

TOKEN = re.compile(r"(?:\s*\{\{-|\{\{)(?P<action>.*?)(?:-\}\}\s*|\}\})", re.DOTALL)
WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\(|\)|\||:=|,|[^\s()|,]+')


def parts(text: str) -> list[tuple[str, str]]:
    """(kind, content): text or action, with the white space that `-` eats taken away."""
    found: list[tuple[str, str]] = []
    at = 0
    for match in TOKEN.finditer(text):
        found += [("text", text[at : match.start()]), ("action", match["action"].strip())]
        at = match.end()
    return [*found, ("text", text[at:])]


class Renderer:
    """Templates by name, and how they are filled in."""

    def __init__(self, helpers: str) -> None:
        self.named: dict[str, list[Any]] = {}
        self.text(helpers, {})

    def text(self, template: str, root: Mapping[str, Any]) -> str:
        """The template, filled in."""
        nodes, rest = self.tree(parts(template))
        assert not rest, "an `end` too many"
        return self.render(nodes, root, {"$": root})

    def tree(self, tokens: list[tuple[str, str]]) -> tuple[list[Any], list[tuple[str, str]]]:
        """Nodes up to the `end` or `else` that closes them; what follows it."""
        nodes: list[Any] = []
        while tokens:
            (kind, content), tokens = tokens[0], tokens[1:]
            verb = content.split(None, 1)[0] if kind == "action" and content else ""
            if kind == "text":
                nodes.append(content)
            elif verb in ("end", "else"):
                return nodes, [("action", content), *tokens]
            elif verb in ("if", "with", "range", "define"):
                inside, tokens = self.tree(tokens)
                otherwise: list[Any] = []
                if tokens[0][1] == "else":
                    otherwise, tokens = self.tree(tokens[1:])
                assert tokens[0][1] == "end", tokens[0]
                tokens = tokens[1:]
                told = content.split(None, 1)[1]
                if verb == "define":
                    self.named[told.strip('"')] = inside
                else:
                    nodes.append((verb, told, inside, otherwise))
            elif not content.startswith("/*"):
                nodes.append(("value", content, [], []))
        return nodes, []

    def render(self, nodes: list[Any], dot: Any, names: dict[str, Any]) -> str:
        """The nodes' text."""
        return "".join(node if isinstance(node, str) else self.node(node, dot, names) for node in nodes)

    def node(self, node: tuple[str, str, list[Any], list[Any]], dot: Any, names: dict[str, Any]) -> str:
        """One action's text."""
        verb, told, inside, otherwise = node
        if verb == "range":
            variables, _, source = told.rpartition(":=")
            found = self.value(source, dot, names)
            rows = sorted(found.items()) if isinstance(found, Mapping) else list(enumerate(found or []))
            own = [name.strip() for name in variables.split(",") if name.strip()]
            given = [dict(zip(own, row if len(own) == 2 else row[1:], strict=False)) for row in rows]
            return "".join(self.render(inside, row[1], names | more) for row, more in zip(rows, given, strict=True))
        found = self.value(told, dot, names)
        if verb == "value":
            return show(found)
        if not found:
            return self.render(otherwise, dot, names)
        return self.render(inside, found if verb == "with" else dot, names)

    def value(self, told: str, dot: Any, names: dict[str, Any]) -> Any:
        """A pipeline's value."""
        found, rest = self.pipeline(WORD.findall(told), dot, names)
        assert not rest, told
        return found

    def pipeline(self, words: list[str], dot: Any, names: dict[str, Any]) -> tuple[Any, list[str]]:
        piped: list[Any] = []
        while True:
            arguments: list[Any] = []
            first = ""
            while words and words[0] not in ("|", ")"):
                word, words = words[0], words[1:]
                if word == "(":
                    inner, words = self.pipeline(words, dot, names)
                    words = words[1:]
                    arguments.append(inner)
                elif not first and not arguments and re.fullmatch(r"[A-Za-z0-9]+", word) and not word.isdigit():
                    first = word
                else:
                    arguments.append(self.atom(word, dot, names))
            arguments += piped
            piped = [self.call(first, arguments) if first else arguments[0]]
            if not words or words[0] == ")":
                return piped[0], words
            words = words[1:]

    def atom(self, word: str, dot: Any, names: dict[str, Any]) -> Any:
        if word.startswith('"'):
            return yaml.safe_load(word)
        if re.fullmatch(r"-?\d+", word):
            return int(word)
        base, _, path = word.partition(".")
        found = names[base] if base else dot
        for step in filter(None, path.split(".")):
            found = found[step]
        return found

    def call(self, name: str, given: list[Any]) -> Any:
        match name:
            case "include":
                return self.render(self.named[given[0]], given[1], {"$": given[1]})
            case "toYaml":
                return yaml.safe_dump(given[0], sort_keys=True, default_flow_style=False).removesuffix("...\n").rstrip("\n")
            case "nindent":
                return "\n" + "\n".join(" " * given[0] + line if line else line for line in str(given[1]).split("\n"))
            case "quote":
                return '"' + str(given[0]).replace("\\", "\\\\").replace('"', '\\"') + '"'
            case "default":
                return given[1] or given[0]
            case "trunc":
                return given[1][: given[0]]
            case "trimSuffix":
                return given[1].removesuffix(given[0])
            case "sha256sum":
                return sha256(given[0].encode()).hexdigest()
            case "regexFindAll":
                assert given[2] < 0, "all that match"
                return re.findall(given[0], given[1])
            case "regexFind":
                return found[0] if (found := re.search(given[0], given[1])) else ""
            case "uniq":
                return list(dict.fromkeys(given[0]))
            case "get":
                return given[0].get(given[1], "")
            case "list":
                return given
            case "int":
                return int(given[0])
            case "gt":
                return given[0] > given[1]
            case "and":
                return all(given)
            case "not":
                return not given[0]
        raise AssertionError(f"the chart uses {name}, which this renderer does not know")


def show(found: Any) -> str:
    """A value as Go prints it."""
    return str(found).lower() if isinstance(found, bool) else "" if found is None else str(found)
