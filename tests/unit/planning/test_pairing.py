"""What pairs with what between stages, and which differences are told."""

from bot.domain.facts import ServiceView, StageView
from bot.domain.image import Version
from bot.domain.slot import Holds, Slot
from bot.planning.pairing import artifact_pairs, service_pairs

DIGEST = "sha256:" + "1f" * 32


def slot(
    path: str, line: int, artifact: str = "acme/api", *, tag: str | None = "1", digest: str | None = None, kind: str = "kubernetes"
) -> Slot:
    return Slot(
        path=path,
        line=line,
        column=1,
        start=0,
        end=1,
        holds=Holds.IMAGE,
        artifact=artifact,
        version=Version(tag=tag, digest=digest),
        address={"pointer": "/image"},
        format=kind,
        key="image",
    )


def view(stage: str, *slots: Slot, components: dict[str, str] | None = None) -> StageView:
    names = components or {one.artifact: "0" for one in slots}
    service = ServiceView(service="api", slots=slots, release=None, components=names)
    return StageView(stage=stage, head=None, services={"api": service} if slots else {}, health={})


def test_equal_shapes_are_paired_without_a_word() -> None:
    (pair,) = artifact_pairs({"dev": [slot("a.yaml", 3)], "qa": [slot("b.yaml", 9)]})
    assert pair.name == "acme/api"
    assert [(stage, one.path, one.line) for stage, slots in pair.places.items() for one in slots] == [
        ("dev", "a.yaml", 3),
        ("qa", "b.yaml", 9),
    ]
    assert pair.notes == ()


def test_a_place_that_a_stage_lacks_is_told() -> None:
    (pair,) = artifact_pairs({"dev": [slot("a.yaml", 3)], "qa": [], "prod": []})
    assert pair.places["qa"] == ()
    assert pair.notes == ("acme/api stands in dev; qa and prod have no place for it, and nothing is written there.",)


def test_pins_counts_and_kinds_of_files_are_told() -> None:
    (pair,) = artifact_pairs(
        {"dev": [slot("a.yaml", 3), slot("a.yaml", 5)], "prod": [slot("values.yaml", 7, tag="1", digest=DIGEST, kind="helm-values")]}
    )
    assert pair.notes == (
        "values.yaml:7 pins a digest, a.yaml:3 names a tag alone. Each place keeps its shape.",
        "Not as many places in every stage: 2 in dev and 1 in prod. All places of a stage get the same version.",
        "Kept in different kinds of file: kubernetes in dev and helm-values in prod.",
    )


def test_another_registry_is_the_same_component() -> None:
    stages = {
        "dev": view(
            "dev", slot("a.yaml", 3, "dev.io/api"), slot("a.yaml", 8, "dev.io/web"), components={"dev.io/api": "0", "dev.io/web": "1"}
        ),
        "qa": view("qa", slot("a.yaml", 4, "qa.io/api")),
        "prod": view("prod"),
    }
    first, second = service_pairs(stages, "qa", ["dev"], "api")
    assert [one.artifact for slots in first.places.values() for one in slots] == ["dev.io/api", "qa.io/api"]
    assert first.notes == (
        "One image under several names, as the configuration says: dev.io/api in dev; qa.io/api in qa. Only its version travels.",
    )
    assert second.notes == ("dev.io/web stands in dev; qa has no place for it, and nothing is written there.",)
    assert service_pairs(stages, "prod", ["qa"], "nobody") == ()
    assert "prod" in service_pairs(stages, "prod", ["dev", "gone"], "api")[0].places
