# ruff: noqa: E501
"""What differs between two renderings, with secrets masked; and what a kustomization takes from elsewhere."""

import pytest

from bot.domain.rendered import FieldChange, ObjectChange, Rendered
from bot.manifests.kustomize_sources import remote_reference
from bot.manifests.rendering import MASK, Unreadable, object_changes
from bot.messages.rendered import section

POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    spec:
      containers:
      - {name: log, image: "acme/log:1"}
      - name: api
        image: acme/api:1
        env:
        - {name: LEVEL, value: info}
        - {name: DB_PASSWORD, value: old-secret}
"""


def only(before: str, after: str) -> ObjectChange:
    (found,) = object_changes(before, after)
    return found


def test_parts_without_an_object_are_left_out_and_things_without_names_go_by_their_numbers() -> None:
    head = "---\n\n---\njust text\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    change = only(f"{head}list: [1, {{a: 2}}, {{name: n}}]\n", f"{head}list: [1, {{a: 3}}, {{name: n}}]\n")
    assert [(field.path, field.old, field.new) for field in change.fields] == [("/list/1/a", "2", "3")]


def test_equal_renderings_differ_in_nothing() -> None:
    assert object_changes(POD, POD) == ()


def test_a_value_is_found_by_the_names_on_its_way() -> None:
    found = only(POD, POD.replace("acme/api:1", "acme/api:2"))
    assert (found.what, found.kind, found.namespace, found.name) == ("changed", "Deployment", "shop", "api")
    assert found.fields == (FieldChange(path="/spec/template/spec/containers/api/image", old="acme/api:1", new="acme/api:2"),)


def test_an_inserted_container_shifts_no_other() -> None:
    found = only(
        POD,
        POD.replace('- {name: log, image: "acme/log:1"}', '- {name: new, image: "acme/new:1"}\n      - {name: log, image: "acme/log:1"}'),
    )
    assert {field.path.split("/")[5] for field in found.fields} == {"new"}


def test_objects_that_come_and_go() -> None:
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c-1}\n"
    assert [(one.what, one.name) for one in object_changes(f"{POD}---\n{other}", f"{POD}---\n{other.replace('c-1', 'c-2')}")] == [
        ("removed", "c-1"),
        ("added", "c-2"),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (POD, POD.replace("old-secret", "new-secret")),
        ("kind: Secret\nmetadata: {name: s}\ndata: {a: b2xkLXNlY3JldA==}\n", "kind: Secret\nmetadata: {name: s}\ndata: {a: bmV3LXNlY3JldA==}\n"),
        ("kind: Secret\nmetadata: {name: s}\nstringData: {a: old-secret}\n", "kind: Secret\nmetadata: {name: s}\nstringData: {a: new-secret}\n"),
        ("kind: X\nmetadata: {name: s}\nv: ENC[old-secret]\n", "kind: X\nmetadata: {name: s}\nv: plain-new-secret\n"),
        ("kind: X\nmetadata: {name: s}\nurl: 'pg://u:old-secret@db/x'\n", "kind: X\nmetadata: {name: s}\nurl: 'pg://u:new-secret@db/x'\n"),
        ("kind: X\nmetadata: {name: s}\nauth: {inner: {x: old-secret}}\n", "kind: X\nmetadata: {name: s}\nauth: {inner: {x: new-secret}}\n"),
        ("kind: ConfigMap\nmetadata: {name: s}\ndata:\n  f: |\n    password = old-secret\n", "kind: ConfigMap\nmetadata: {name: s}\ndata:\n  f: |\n    password = new-secret\n"),
    ],
)  # fmt: skip
def test_secrets_are_masked_on_both_sides(before: str, after: str) -> None:
    found = only(before, after)
    assert [(field.old, field.new) for field in found.fields] == [(MASK, MASK)]
    assert "secret" not in section([Rendered(folder="x", tool="kustomize", objects=(found,))]).replace("secrets are masked", "")


def test_a_rendering_that_cannot_be_read() -> None:
    with pytest.raises(Unreadable, match="cannot be read"):
        object_changes(POD, "a: [1\n")


def test_the_section_says_what_and_cannot_be_broken_out_of() -> None:
    hostile = ObjectChange(
        what="changed",
        kind="Deployment",
        namespace="",
        name="a`b\n</details>@ana",
        fields=tuple(FieldChange(path=f"/{number}", old=None, new="x" * 500) for number in range(9)),
    )
    text = section(
        [Rendered(folder="shop/prod", tool="kustomize", objects=(hostile,)), Rendered(folder="", tool="helm", problem="no <b>helm</b>")]
    )
    assert "\n</details>@ana" not in text
    assert "  - and 3 more values" in text
    assert "nothing → `" in text
    assert "x" * 121 not in text
    assert "Not rendered: no &lt;b\\>helm" in text
    assert section([]) == ""


FILES = {
    "prod/kustomization.yaml": b"resources: [../base, ./local.yaml]\n",
    "base/kustomization.yml": b"resources: [d.yaml]\ncomponents: [../loop]\n",
    "loop/Kustomization": b"components: [../base, ../loop]\n",
    "outside/kustomization.yaml": b"resources: [../../../etc]\n",
    "broken/kustomization.yaml": b"resources: [\n",
}


@pytest.mark.parametrize("folder", ["prod", "base", "loop", "outside", "broken", "nowhere", ""])
def test_what_stands_in_the_repository_needs_no_network(folder: str) -> None:
    assert remote_reference(FILES.get, folder) is None


@pytest.mark.parametrize(
    ("line", "reference"),
    [
        ("resources: ['https://x.io/a.yaml']", "https://x.io/a.yaml"),
        ("resources: ['github.com/acme/base//x?ref=v1']", "github.com/acme/base//x?ref=v1"),
        ("bases: ['git@x.io:acme/base.git']", "git@x.io:acme/base.git"),
        ("components: ['git::ssh://x.io/base']", "git::ssh://x.io/base"),
        ("resources: ['x.io/acme/base?timeout=9&ref=v1']", "x.io/acme/base?timeout=9&ref=v1"),
        ("patches: [{path: 'http://127.0.0.1/p.yaml'}]", "http://127.0.0.1/p.yaml"),
        ("helmCharts: [{name: x, repo: 'oci://x.io/charts'}]", "oci://x.io/charts"),
        ("openapi: {path: 'https://x.io/schema.json'}", "https://x.io/schema.json"),
    ],
)
def test_what_comes_from_elsewhere_is_named_however_deep_it_stands(line: str, reference: str) -> None:
    assert remote_reference({**FILES, "base/kustomization.yml": line.encode()}.get, "prod") == reference
