"""What must fit together among the services: their branches stay apart, their images, teams, stages and order make sense.

Works on the tree, like `lint`.
"""

from collections.abc import Iterator

from bot.config.explain import Finding, nearest
from bot.config.tree import Node
from bot.domain.edits import EditRefused
from bot.domain.image import normal_name
from bot.domain.promotion import branch_name
from bot.manifests.addresses import parse_address, spelt_out


def services(root: Node) -> Iterator[Finding]:
    """Every finding about services."""
    node = root.child("services")
    found = dict(node.named()) if node else {}
    yield from _branches(found)
    yield from _teams(found, root)
    yield from _stages(found, root)
    yield from _images(found, root)
    yield from _addresses(found)
    yield from _order(found)


def _stage_names(root: Node) -> list[str]:
    node = root.at("pipeline", "stages")
    return [name for name, _ in node.named()] if node else []


def _branches(found: dict[str, Node]) -> Iterator[Finding]:
    """Branches that differ in case only are one file on some disks, and one branch on some forges."""
    seen: dict[str, str] = {}
    for name, service in found.items():
        branch = branch_name("stage", name).lower()
        if branch in seen:
            what = f"The services {seen[branch]!r} and {name!r} would share the branch {branch_name('<stage>', name)}"
            yield Finding(mark=service.place, what=what, fix="Rename one; a different case is not enough")
        seen.setdefault(branch, name)


def _teams(found: dict[str, Node], root: Node) -> Iterator[Finding]:
    node = root.child("teams")
    teams = [name for name, _ in node.named()] if node else []
    for service in found.values():
        team = service.child("team")
        if team is not None and isinstance(team.scalar, str) and team.scalar not in teams:
            yield Finding(
                mark=team.mark, what=f"There is no team {team.scalar!r}", fix=nearest(team.scalar, teams) or "Add it under `teams`"
            )


def _stages(found: dict[str, Node], root: Node) -> Iterator[Finding]:
    known = _stage_names(root)
    for service in found.values():
        for key in ("images", "versions"):
            node = service.child(key)
            for name, entry in node.named() if node else ():
                if name not in known:
                    yield Finding(mark=entry.place, what=f"There is no stage {name!r}", fix=nearest(name, known))
        for entry in _after(service):
            stage = entry.scalar.partition("@")[2]
            if stage and stage not in known:
                yield Finding(mark=entry.mark, what=f"There is no stage {stage!r}", fix=nearest(stage, known))


def _after(service: Node) -> list[Node]:
    node = service.child("after")
    return [entry for entry in node.listed() if isinstance(entry.scalar, str)] if node else []


def _images(found: dict[str, Node], root: Node) -> Iterator[Finding]:
    """An image belongs to one service."""
    owners: dict[tuple[str, str], str] = {}
    told: set[int] = set()
    for name, service in found.items():
        node = service.child("images")
        per_stage = dict(node.named()) if node else {}
        groups = per_stage.items() if per_stage else [(stage, node) for stage in _stage_names(root)] if node else []
        for stage, group in groups:
            for entry in group.listed():
                image = normal_name(entry.scalar) if isinstance(entry.scalar, str) else None
                owner = owners.setdefault((stage, image), name) if image else name
                if owner != name and id(entry) not in told:
                    told.add(id(entry))
                    what = f"The image {entry.scalar} belongs to the service {owner!r} already"
                    yield Finding(mark=entry.mark, what=what, fix="An image belongs to one service")


def _addresses(found: dict[str, Node]) -> Iterator[Finding]:
    """An address that no file could have, or that would take too long to follow."""
    for service in found.values():
        per_stage = service.child("versions")
        places = [place for _, listed in per_stage.named() for place in listed.items or ()] if per_stage else []
        for node in [address for place in places if (address := place.child("address")) is not None]:
            given = node.plain()
            if not isinstance(given, str | dict):
                continue  # the schema's word
            try:
                parse_address(spelt_out(given))
            except EditRefused as refusal:
                yield Finding(mark=node.mark, what=f"The address does not work: {refusal.message}", fix="docs/formats.md shows all forms")


def _order(found: dict[str, Node]) -> Iterator[Finding]:
    """Services that wait for each other would wait for ever."""
    before = {name: {entry.scalar.partition("@")[0] for entry in _after(service)} for name, service in found.items()}
    for name, service in found.items():
        for entry in _after(service):
            other = entry.scalar.partition("@")[0]
            if _reaches(other, name, before):
                what = (
                    f"The services {name!r} and {other!r} wait for each other"
                    if other != name
                    else f"The service {name!r} waits for itself"
                )
                yield Finding(mark=entry.mark, what=what, fix="Take one of these `after` away")


def _reaches(start: str, goal: str, before: dict[str, set[str]]) -> bool:
    stack, seen = [start], set()
    while stack:
        name = stack.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            stack += before.get(name, ())
    return False
