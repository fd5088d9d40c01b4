"""Terraform, OpenTofu and Terragrunt: `?ref=` and `version` of modules, Helm releases and providers, images and version variables.

A value made of other values (`"${var.tag}"`) holds no version here: it stands where the variable is set.
"""

from bot.domain.image import ImageRef, Version, split_reference
from bot.domain.slot import Holds, Slot
from bot.manifests.found import FileSlots
from bot.manifests.hcl_address import REF, version_span
from bot.manifests.hcl_text import HclValue, hcl_values
from bot.manifests.images import IMAGE_KEY
from bot.manifests.named_values import NOT_OURS, VERSION_KEY, artifact_of
from bot.manifests.revisions import is_revision, repository_name
from bot.manifests.shelf import TextFormat
from bot.yamltext import line_of

_HOLDERS = ("locals", "inputs", "image", "variable", "default", "set")
"""Steps of a path that name nothing that has a version."""
SUFFIXES = (".tf", ".tofu", ".tfvars", ".hcl")


def read(path: str, text: str) -> FileSlots:
    """All slots of an HCL file."""
    values = hcl_values(text)
    by_path = {one.path: one for one in values}
    slots = (_slot(path, text, one, by_path) for one in values if one.value)
    return FileSlots(slots=tuple(slot for slot in slots if slot is not None))


def _slot(path: str, text: str, found: HclValue, by_path: dict[tuple[str, ...], HclValue]) -> Slot | None:
    key, value = _name(found, by_path), found.value or ""
    start, end = version_span(found)
    version = Version(tag=text[start:end])
    if REF.search(value):
        if not is_revision(text[start:end]):
            return None
        url = value.split("?")[0].removeprefix("git::")
        return _made(path, text, found, (start, end), version, repository_name(url), Holds.REVISION)
    if IMAGE_KEY.match(key):
        reference, spans = ImageRef.parse(value), split_reference(value)
        if reference is None or spans is None or spans.tag_start < 0:
            return None
        span = (start + spans.tag_start, start + spans.tag_end)
        return _made(path, text, found, span, reference.version, reference.name, Holds.IMAGE)
    if key == "version":
        beside = {name: by_path[(*found.path[:-1], name)].value for name in ("chart", "source") if (*found.path[:-1], name) in by_path}
        if beside.get("chart"):
            chart = str(beside["chart"]).rstrip("/").rsplit("/", 1)[-1]
            return _made(path, text, found, (start, end), version, chart, Holds.CHART)
        if beside.get("source"):
            return _made(path, text, found, (start, end), version, str(beside["source"]), Holds.VALUE)
    if key == "required_version":
        return None
    if VERSION_KEY.match(key) and not NOT_OURS.match(key) and is_revision(value):
        parent = next((step for step in reversed(found.path[:-1]) if step not in (*_HOLDERS, key) and not step.isdigit()), "")
        return _made(path, text, found, (start, end), Version.parse(value), artifact_of(key, parent, path), Holds.VALUE)
    return None


def _name(found: HclValue, by_path: dict[tuple[str, ...], HclValue]) -> str:
    """What the value is called: its key; a variable's default by the variable, a Helm `set` value by its `name`, a Docker image's name."""
    path = found.path
    match path[-1]:
        case "default" if len(path) == 3 and path[0] == "variable":
            return path[1]
        case "value" if (*path[:-1], "name") in by_path:
            return (by_path[(*path[:-1], "name")].value or "").rpartition(".")[2] or "value"
        case "name" if path[:2] == ("resource", "docker_image"):
            return "image"
        case name:
            return name


def _made(path: str, text: str, found: HclValue, span: tuple[int, int], version: Version, artifact: str, holds: Holds) -> Slot:
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in found.path)
    return Slot(
        path=path,
        line=line_of(text, span[0]),
        column=span[0] - text.rfind("\n", 0, span[0]),
        start=span[0],
        end=span[1],
        holds=holds,
        artifact=artifact,
        version=version,
        address={"hcl": pointer},
        format="terraform",
        key="/".join(found.path),
    )


FORMAT = TextFormat(
    name="terraform",
    needles=(b"ref=", b"ersion", b"tag", b"mage"),
    claims=lambda path: path.endswith(SUFFIXES) and not path.endswith(".terraform.lock.hcl"),
    read=read,
)
