"""The words for what a promotion changes in the cluster's objects: a section of the pull request's text, by workload."""

from collections.abc import Sequence

from bot.domain.rendered import ObjectChange, Rendered
from bot.messages.words import code, plain

MOST_OBJECTS = 30
MOST_FIELDS = 6
LONGEST_VALUE = 120


def section(found: Sequence[Rendered]) -> str:
    """Markdown, folded away; empty where nothing was rendered."""
    if not found:
        return ""
    lines = [
        "<details><summary>What changes in the rendered objects</summary>",
        "",
        "Rendered from the base branch with this change alone; secrets are masked. What others push to this branch is not in it.",
        "",
    ]
    for one in found:
        lines += [f"{code(one.folder or '.')} ({one.tool})", "", *_folder(one), ""]
    return "\n".join([*lines, "</details>"])


def _folder(one: Rendered) -> list[str]:
    if one.problem:
        return [f"Not rendered: {plain(one.problem)}"]
    if not one.objects:
        return ["No object differs: what this changes reaches no object of this folder."]
    lines = [line for found in one.objects[:MOST_OBJECTS] for line in _object(found)]
    left = len(one.objects) - MOST_OBJECTS
    return lines + ([f"- and {left} more objects"] if left > 0 else [])


def _object(found: ObjectChange) -> list[str]:
    name = f"{found.namespace}/{found.name}" if found.namespace else found.name
    lines = [f"- {code(f'{found.kind} {name}')} {found.what}"]
    for field in found.fields[:MOST_FIELDS]:
        old, new = (code(_short(text)) if text is not None else "nothing" for text in (field.old, field.new))
        lines.append(f"  - {code(field.path)}: {old} → {new}")
    left = len(found.fields) - MOST_FIELDS
    return lines + ([f"  - and {left} more values"] if left > 0 else [])


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
