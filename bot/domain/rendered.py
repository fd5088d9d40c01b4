"""What a promotion changes in the objects that reach the cluster, after Kustomize or Helm have made them. Pure data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One value of an object. `path` is a JSON Pointer; `old` or `new` is None where there is none; secret values are masked already."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectChange:
    """One object that differs. `what` is "changed", "added" or "removed"; `fields` is empty for the latter two."""

    what: str
    kind: str
    namespace: str
    name: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One folder that was rendered before and after. `tool` is "kustomize" or "helm"; `problem` says why nothing can be told."""

    folder: str
    tool: str
    objects: tuple[ObjectChange, ...] = ()
    problem: str = ""
