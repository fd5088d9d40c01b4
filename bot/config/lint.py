"""What must fit together in a configuration beyond each value by itself: the graph, the places, the names; and what looks unwise.

Works on the tree, so that it speaks even where the models refuse another part. Values by themselves are the models' word.
"""

from collections.abc import Iterable, Iterator

from bot.config.explain import Finding, nearest
from bot.config.lint_services import services
from bot.config.tree import Node
from bot.domain.redact import find_secret

MOST_SCALARS = 20_000


def lint(root: Node) -> list[Finding]:
    """Everything that does not fit, and everything that looks unwise (as warnings), in no particular order."""
    return [*_graph(root), *_cycles(root), *_places(root), *_names(root), *services(root), *_sources(root), *_unwise(root)]


def stages_of(root: Node) -> dict[str, Node]:
    """The stages by name, as far as they can be read."""
    node = root.at("pipeline", "stages")
    return dict(node.named()) if node else {}


def _after(stage: Node) -> list[Node]:
    node = stage.child("after")
    return [entry for entry in node.listed() if isinstance(entry.scalar, str)] if node else []


def _graph(root: Node) -> Iterator[Finding]:
    stages = stages_of(root)
    for name, stage in stages.items():
        seen: set[str] = set()
        for entry in _after(stage):
            if entry.scalar == name:
                yield Finding(mark=entry.mark, what=f"The stage {name!r} comes after itself", fix="Take it out of its own `after`")
            elif entry.scalar not in stages:
                others = [other for other in stages if other != name]
                yield Finding(mark=entry.mark, what=f"There is no stage {entry.scalar!r}", fix=nearest(entry.scalar, others))
            elif entry.scalar in seen:
                yield Finding(mark=entry.mark, what=f"{entry.scalar!r} stands in `after` twice", fix="Keep one")
            seen.add(entry.scalar)


def _cycles(root: Node) -> Iterator[Finding]:
    stages = stages_of(root)
    left = {name: {entry.scalar for entry in _after(stage)} - {name} for name, stage in stages.items()}
    while ready := [name for name, before in left.items() if not before & left.keys()]:
        for name in ready:
            del left[name]
    trimmed = dict(left)
    while ends := [name for name in trimmed if not any(name in before for before in trimmed.values())]:
        for name in ends:
            del trimmed[name]
    if trimmed:
        first = next(iter(trimmed))
        place = stages[first].child("after") or stages[first]
        circle = _circle(first, trimmed)
        fix = "A pipeline has no circles: take one of these `after` away"
        yield Finding(mark=place.mark, what=f"The stages {' -> '.join(circle)} wait for each other", fix=fix)


def _circle(first: str, before: dict[str, set[str]]) -> list[str]:
    """One circle among stages that all stand on one, in the direction of travel."""
    path = [first]
    while True:
        step = sorted(name for name in before[path[-1]] if name in before)[0]
        if step in path:
            return [step, *reversed(path[path.index(step) :])]
        path.append(step)


def _text(node: Node, key: str, default: str = "") -> str:
    child = node.child(key)
    return child.scalar if child is not None and isinstance(child.scalar, str) else default


def _places(root: Node) -> Iterator[Finding]:
    """Two stages must not share files: not the same folder, and not one inside the other."""
    seen: list[tuple[str, str, str, str]] = []
    for name, stage in stages_of(root).items():
        repository = _text(stage, "repository").lower()
        if not repository:
            continue
        branch, folder = _text(stage, "branch", "main"), _text(stage, "folder").strip("/")
        for other, other_repository, other_branch, other_folder in seen:
            if (repository, branch) == (other_repository, other_branch) and _nested(folder, other_folder):
                relation = "the very place of" if folder == other_folder else "a folder in common with"
                fix = "Give each stage a repository, a branch or a folder of its own"
                place = stage.child("repository") or stage
                yield Finding(mark=place.mark, what=f"The stage {name!r} has {relation} the stage {other!r}", fix=fix)
        seen.append((name, repository, branch, folder))


def _nested(one: str, other: str) -> bool:
    return one == other or not one or not other or one.startswith(other + "/") or other.startswith(one + "/")


def _names(root: Node) -> Iterator[Finding]:
    """Stages that are named elsewhere must exist."""
    known = stages_of(root)
    for steps in (("people", "stages"), ("notifications", "slack", "stages")):
        node = root.at(*steps)
        for name, entry in node.named() if node else ():
            if name not in known:
                yield Finding(mark=entry.place, what=f"There is no stage {name!r}", fix=nearest(name, known))


def _gates(root: Node) -> Iterator[tuple[str, Node]]:
    for name, stage in stages_of(root).items():
        gates = stage.child("gates")
        for gate in (gates.items or ()) if gates else ():
            yield name, gate


def _sources(root: Node) -> Iterator[Finding]:
    """A gate that asks a server needs to know which."""
    for _, gate in _gates(root):
        kind = _text(gate, "gate")
        wants = "prometheus" if kind == "metric" and not gate.child("address") else "opa" if gate.child("rule") and kind == "policy" else ""
        if wants and root.at("sources", wants) is None:
            place = gate.child("gate") or gate
            fix = f"Add sources.{wants} with its url" + ("" if wants == "opa" else ", or an address to the gate")
            yield Finding(mark=place.mark, what=f"The {kind} gate has no server to ask", fix=fix)


def _unwise(root: Node) -> Iterator[Finding]:
    stages = stages_of(root)
    sources = {entry.scalar for stage in stages.values() for entry in _after(stage)}
    for name, stage in stages.items():
        if stage.child("cluster") is None and name in sources:
            what = (
                f"The stage {name!r} has no cluster, so that nobody can say that a version is healthy there: none will leave it by itself"
            )
            yield Finding(mark=stage.place, what=what, fix="Add `cluster`", warning=True)
        insecure = stage.at("cluster", "insecure_skip_tls_verify")
        if insecure is not None and insecure.scalar is True:
            what = "Whoever is between the bot and this cluster can pretend that all is well"
            yield Finding(mark=insecure.place, what=what, fix="Give the kubeconfig the cluster's certificate authority", warning=True)
    discovery = root.at("discovery", "enabled")
    services_node = root.child("services")
    if discovery is not None and discovery.scalar is False and (services_node is None or not services_node.entries):
        yield Finding(mark=discovery.place, what="Nothing is discovered and no service is configured: nothing is promoted", warning=True)


def secrets(root: Node) -> Iterator[Finding]:
    """Every text that looks like a secret, keys and your own x- parts included."""
    for node, text in _scalars(root):
        kind = find_secret(text)
        if kind is not None:
            fix = "Take it out, make it invalid, and put a new one into the environment (docs/configuration.md names the variables)"
            yield Finding(mark=node.mark, what=f"This looks like {kind}, and secrets never stand in this file", fix=fix)


def _scalars(root: Node) -> Iterable[tuple[Node, str]]:
    """Every text of the tree once, shared parts too; keys count as texts."""
    stack, seen = [root], 0
    done: set[int] = set()
    while stack and seen < MOST_SCALARS:
        node = stack.pop()
        seen += 1
        part = id(node.entries) if node.entries is not None else id(node.items) if node.items is not None else id(node)
        if part in done:
            continue
        done.add(part)
        if isinstance(node.scalar, str):
            yield node, node.scalar
        for key, entry in node.named():
            yield entry, key
            stack.append(entry)
        stack += node.items or []
