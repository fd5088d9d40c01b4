"""Finds every version in a file: `find_slots`, and `is_candidate` for the question whether a file is worth reading at all.

Never raises: what cannot be read becomes a problem with line and sentence. Files that hold none of the formats' words are not parsed.
"""

import re
from dataclasses import replace

from bot.domain.edits import MENDING, EditRefused, RefusalCode
from bot.domain.replicas import Kustomized, Replicas
from bot.domain.slot import Slot, SlotProblem
from bot.manifests.collecting import Collector
from bot.manifests.files import decode, is_sealed, read_yaml
from bot.manifests.found import FileSlots
from bot.manifests.replicas import NEEDLE, is_kustomization_file, kustomized_in, replicas_in, unread
from bot.manifests.shelf import text_formats, yaml_formats
from bot.yamltext.stillness import no_collection

_NOTHING = FileSlots()
_YAML = (".yaml", ".yml", ".json")
_FOREIGN_FOLDERS = frozenset(
    {".git", ".github", ".circleci", "node_modules", "vendor", ".terraform", "templates", "crds", "__pycache__", ".venv"}
)
_FOREIGN_NAME = re.compile(r"(?:\..*|(?:package(?:-lock)?|tsconfig.*|composer|renovate)\.json|pnpm-lock\.yaml|mkdocs\.yml)\Z")


def is_candidate(path: str) -> bool:
    """True where a file may hold slots, judged by its name alone."""
    *folders, name = path.split("/")
    if not _FOREIGN_FOLDERS.isdisjoint(folders):
        return False
    if name.endswith(_YAML) or name == "Kustomization":
        return name[0] not in ".cmprt" or _FOREIGN_NAME.match(name) is None
    return any(one.claims(path) for one in text_formats())


def find_slots(path: str, content: bytes) -> FileSlots:
    """Every slot of a file in the order of the text, and the problems. Offsets count characters of the decoded file."""
    if not is_candidate(path):
        return _NOTHING
    try:
        for one in text_formats():
            if one.claims(path):
                held = any(needle in content for needle in one.needles)
                return _in_order(one.read(path, "".join(decode(content)))) if held else _NOTHING
        with no_collection():
            return _find_in_yaml(path, content)
    except EditRefused as refusal:
        message = f"{refusal.message}. {refusal.fix}".strip()
        return FileSlots(problems=(SlotProblem(path=path, line=refusal.line, code=refusal.code, message=message),))


def _find_in_yaml(path: str, content: bytes) -> FileSlots:
    formats = [one for one in yaml_formats() if (one.named is None or one.named(path)) and any(needle in content for needle in one.needles)]
    counting = (NEEDLE in content and b"kind" in content) or is_kustomization_file(path)
    if not formats and not counting:
        return _NOTHING
    try:
        mark, text = decode(content)
        source = read_yaml(text)
    except EditRefused:
        if formats:
            raise
        return unread(path)
    slots, problems = [], []
    replicas: list[Replicas] = []
    kustomized: list[Kustomized] = []
    for document in source.documents:
        collector = Collector(path, source, document, shift=len(mark))
        for one in formats:
            if one.claims(collector):
                collector.format = one.name
                one.collect(collector)
                break
        slots += collector.slots
        problems += collector.problems
        if counting:
            replicas += replicas_in(collector)
            kustomized += kustomized_in(collector)
    if slots and is_sealed(source):
        message = f"the file is sealed by SOPS; no version in it can be edited. {MENDING[RefusalCode.SOPS_ENCRYPTED]}"
        return FileSlots(problems=(*problems, SlotProblem(path=path, line=slots[0].line, code="SopsEncrypted", message=message)))
    return _in_order(FileSlots(slots=tuple(slots), problems=tuple(problems), replicas=tuple(replicas), kustomized=tuple(kustomized)))


def _in_order(found: FileSlots) -> FileSlots:
    """By place, each place once."""
    first: dict[tuple[int, int], Slot] = {}
    for slot in found.slots:
        first.setdefault((slot.start, slot.end), slot)
    slots = tuple(first[place] for place in sorted(first))
    return replace(found, slots=slots, problems=tuple(dict.fromkeys(found.problems)))
