# ruff: noqa: E501
"""What the formats leave alone because it holds no version, what they tell of, and the rarer places where versions stand."""

import pytest

from bot.manifests import find_slots
from bot.manifests.named_values import artifact_of
from tests.unit.manifests.test_formats import OLD, Row, check_editable

APPLICATION = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n"
SOURCE = "apiVersion: source.toolkit.fluxcd.io/v1\n"

NOTHING: list[tuple[str, str, str]] = [
    ("an image without tag and digest", "app.yaml", "image: acme/api\n"),
    ("an image that is empty", "app.yaml", "image: ''\n"),
    ("an image that is null", "app.yaml", "image: {repository: acme/api, tag: null, digest: ~}\n"),
    ("what is no image's name", "app.yaml", "image: 'ACME//api:1'\n"),
    ("an alias of an empty text", "app.yaml", "x: &i ''\nimage: *i\n"),
    ("an application without a source", "a.yaml", APPLICATION + "  project: x\n  image: x\n"),
    ("an application at a branch", "a.yaml", APPLICATION + "  source: {repoURL: 'https://x/y.git', targetRevision: main}\n"),
    ("an application's revision made by a template", "a.yaml", APPLICATION + "  source: {repoURL: 'https://x/y.git', targetRevision: '{{ x }}'}\n"),
    ("values that are a list", "a.yaml", APPLICATION + "  source: {repoURL: 'https://x/y.git', helm: {values: [image]}}\n"),
    ("a kustomize image that is no text", "a.yaml", APPLICATION + "  source: {repoURL: 'https://x/y.git', kustomize: {images: [{a: 1}]}}\n"),
    ("values without an image", "a.yaml", APPLICATION + "  source: {repoURL: 'https://x/y.git', helm: {values: 'replicas: 2'}}\n"),
    ("a role with attributes that are no map", "roles/r.json", '{"chef_type": "role", "default_attributes": null, "cookbook_versions": ["x"]}'),
    ("parameters that are no map", "cf.yaml", "AWSTemplateFormatVersion: x\nParameters: [ImageTag]\n"),
    ("parameters without a name", "cf.json", '[{"ParameterKey": "", "ParameterValue": "1.0"}, {"ParameterKey": "ImageTag"}, {"ParameterKey": "Tag", "ParameterValue": ["1"]}]'),
    ("other parameters", "cf.json", '[{"ParameterKey": "Size", "ParameterValue": "2"}]'),
    ("compose services that are a list", "docker-compose.yml", "services: [a]\nimage: x\n"),
    ("a compose service without an image", "docker-compose.yml", "services:\n  a: {build: .}\n  b: image\n"),
    ("an image in a file of variables without a tag", ".env", "API_IMAGE=acme/api\nX_VERSION=main\nAPI_VERSION_URL=1\n"),
    ("a source by another kind", "s.yaml", SOURCE + "kind: Bucket\nmetadata: {name: b}\nspec: {ref: {tag: v1}}\n"),
    ("an OCI source without a reference", "s.yaml", SOURCE + "kind: OCIRepository\nmetadata: {name: b}\nspec: {url: 'oci://ghcr.io/acme/x'}\n"),
    ("an OCI source without an address", "s.yaml", SOURCE + "kind: OCIRepository\nmetadata: {name: b}\nspec: {ref: {tag: v1}}\n"),
    ("an OCI reference that is no map", "s.yaml", SOURCE + "kind: OCIRepository\nmetadata: {name: b}\nspec: {url: 'oci://ghcr.io/acme/x', ref: v1}\n"),
    ("a git source at a branch", "s.yaml", SOURCE + "kind: GitRepository\nmetadata: {name: b}\nspec: {url: 'https://x/y', ref: {branch: main}}\n"),
    ("a chart without a version", "s.yaml", SOURCE + "kind: HelmChart\nmetadata: {name: b}\nspec: {chart: x}\n"),
    ("a chart without a name or version", "Chart.yaml", "dependencies:\n- {name: a}\n- {version: '1'}\nappVersion: '1'\n"),
    ("a release without a chart or version", "helmfile.yaml", "releases:\n- {name: a, chart: x/a, values: [values.yaml, [1]]}\n- {name: b, version: '1'}\n"),
    ("a base that stands twice", "kustomization.yaml", "resources:\n- https://github.com/acme/b?ref=v1\n- https://github.com/acme/b?ref=v1\n"),
    ("kustomize images without names", "kustomization.yaml", "images:\n- {newTag: '1'}\n- acme/api:1\n- name: 'A B'\n  newTag: '1'\n"),
    ("kustomize images that are no list", "kustomization.yaml", "images: {name: a, newTag: '1'}\n"),
    ("kustomize images that are a text", "kustomization.yaml", "images: acme/api\nhelmCharts: [{name: x}]\n"),
    ("a stack without a configuration", "Pulumi.prod.yaml", "configs: {a:version: 1}\n"),
    ("a task's parameters without a bundle", "t.yaml", "apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: p}\nspec: {params: [{name: revision, value: 1.2.3}, {name: bundle}, image]}\n"),
    ("terraform's own version", "main.tf", 'terraform {\n  required_version = "1.5.0"\n}\n'),
    ("a module's version without its source", "main.tf", 'locals {\n  image = "acme/api"\n  x = var.tag\n  y_tag = "main"\n}\n'),
    ("a module at a branch", "main.tf", 'module "m" {\n  source = "git::https://x/m.git?ref=main"\n}\n'),
    ("a version that is a branch", "vars/prod.yml", "app_version: main\n"),
    ("parameters without a value", "a.yaml", APPLICATION + "  source: {repoURL: 'https://x/y.git', helm: {parameters: [{name: image.tag}, {name: image.tag, value: [1]}]}}\n"),
    ("a list of texts and objects without a kind", "list.yaml", "apiVersion: v1\nkind: List\nitems: [image, {spec: {image: x}}]\n"),
    ("a list at the top", "list.yaml", "- image\n- 7\n"),
    ("versions of the platform", "vars/prod.yml", "kubernetes_version: 1.29.1\napi_version: 2.0.0\n"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text"), [row[1:] for row in NOTHING], ids=[row[0] for row in NOTHING])
def test_what_holds_no_version_is_no_slot_and_no_problem(path: str, text: str) -> None:
    found = find_slots(path, text.encode())
    assert (found.slots, found.problems) == ((), ())


FOUND: list[tuple[str, str, str, list[Row]]] = [
    ("a digest alone", "app.yaml", f"image: acme/api@{OLD}\n", [(1, "image", "acme/api", f"@{OLD}", "image")]),
    ("several sources", "a.yaml", APPLICATION + "  sources:\n  - {repoURL: 'https://x/y.git', targetRevision: v1.2.3}\n  - {repoURL: 'https://c', chart: web, targetRevision: 2.0.0}\n",
     [(6, "revision", "https://x/y", "v1.2.3", "Application/a/y/revision"), (7, "chart", "web", "2.0.0", "Application/a/web/chart")]),
    ("values as a map", "a.yaml", APPLICATION + "  source: {repoURL: 'https://x/y.git', helm: {values: {image: 'acme/a:1'}}}\n",
     [(5, "image", "acme/a", "1", "Application/a/y/values/image")]),
    ("a chart of a source", "s.yaml", SOURCE + "kind: HelmChart\nmetadata: {name: b}\nspec: {chart: web, version: 1.2.3}\n", [(4, "chart", "web", "1.2.3", "HelmChart/b")]),
    ("a digest of an OCI source beside a range", "s.yaml", SOURCE + f"kind: OCIRepository\nmetadata: {{name: b}}\nspec:\n  url: oci://ghcr.io/acme/x\n  ref: {{semver: 1.x, digest: '{OLD}'}}\n",
     [(6, "image", "ghcr.io/acme/x", f"@{OLD}", "OCIRepository/b/ref")]),
    ("a range of an OCI source", "s.yaml", SOURCE + "kind: OCIRepository\nmetadata: {name: b}\nspec: {url: 'oci://ghcr.io/acme/x', ref: {semver: 1.2.3}}\n",
     [(4, "image", "ghcr.io/acme/x", "1.2.3", "OCIRepository/b/ref/semver")]),
    ("a compose file by another name, known by its services", "stacks/web.yaml", "services:\n  a: {image: 'acme/a:1', ports: ['80:80']}\n  b: {build: .}\n", [(2, "image", "acme/a", "1", "services/a")]),
    ("an image map with a tag of its own name", "group_vars/prod.yml", "api: {repository: acme/api, imageTag: '1.2'}\n", [(1, "image", "acme/api", "1.2", "api/imageTag")]),
    ("a revision beside its repository", "set.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s}\nspec: {generators: [{list: {elements: [{name: a, repoURL: 'https://x/y.git', targetRevision: 1.2.3}]}}]}\n",
     [(4, "value", "https://x/y", "1.2.3", "ApplicationSet/s/elements/a/targetRevision")]),
    ("an image beside its name", "app.yaml", "web: {image: {name: acme/web, tag: '1.2'}}\n", [(1, "image", "acme/web", "1.2", "web/image")]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "expected"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND])
def test_rarer_places_are_found_and_can_be_edited(path: str, text: str, expected: list[Row]) -> None:
    found = find_slots(path, text.encode())
    assert [(slot.line, slot.holds.value, slot.artifact, slot.version.text, slot.key) for slot in found.slots] == expected
    assert not found.problems
    for slot in found.slots:
        check_editable(path, text.encode(), slot)


@pytest.mark.parametrize(
    ("key", "parent", "path", "artifact"),
    [
        ("payments_version", "", "x.yml", "payments"),
        ("acme:image:tag", "", "x.yml", "acme"),
        ("image:tag", "web", "x.yml", "web"),
        ("version", "web", "x.yml", "web"),
        ("version", "", "payments/x.yml", "payments"),
    ],
)
def test_what_a_version_is_of_by_its_key_its_place_or_its_folder(key: str, parent: str, path: str, artifact: str) -> None:
    assert artifact_of(key, parent, path) == artifact


TOLD: list[tuple[str, str, str, int, str]] = [
    ("an entry of images that is an alias", "kustomization.yaml", "x: &e {name: a, newTag: '1'}\nimages:\n- *e\n", 3, "ThroughAlias"),
    ("a tag that is an alias", "app.yaml", "x: &t '1'\nimage: {repository: acme/a, tag: *t}\n", 2, "ThroughAlias"),
    ("a tag under a shared anchor", "app.yaml", "a: &b {image: {repository: acme/a, tag: '1'}}\nc: *b\n", 1, "SharedAnchor"),
    ("a version with a tag of its own", "Chart.yaml", "name: x\ndependencies:\n- {name: a, version: !v 1.2.3}\n", 3, "UnsupportedScalar"),
    ("a tag in a block that ends with a line break", "app.yaml", "image:\n  repository: acme/a\n  tag: |\n    v1\n", 3, "UnsupportedScalar"),
    ("embedded values that are folded", "a.yaml", APPLICATION + "  source:\n    repoURL: https://x/y.git\n    helm:\n      values: >\n        image: acme/a:1\n", 8, "UnsupportedScalar"),
    ("embedded values in quotes", "a.yaml", APPLICATION + "  source: {repoURL: 'https://x/y.git', helm: {values: 'image: acme/a:1'}}\n", 5, "UnsupportedScalar"),
    ("embedded values that others share", "a.yaml", APPLICATION + "  source:\n    repoURL: https://x/y.git\n    helm:\n      values: &v |\n        image: acme/a:1\n      x: *v\n", 8, "SharedAnchor"),
    ("a template inside of embedded values", "a.yaml", APPLICATION + "  source:\n    repoURL: https://x/y.git\n    helm:\n      values: |\n        a: 1\n        image: 'acme/a:{{ x }}'\n", 10, "TemplateSyntax"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "line", "code"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_a_version_that_could_not_be_edited_is_told_with_its_line(path: str, text: str, line: int, code: str) -> None:
    found = find_slots(path, text.encode())
    assert found.slots == ()
    assert [(problem.line, problem.code) for problem in found.problems] == [(line, code)]
    assert found.problems[0].message.endswith(".")
