# ruff: noqa: E501
"""What each format finds: a sample of each, with the slots that must come out, each of which must be editable at its own address."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.slot import Slot
from bot.manifests import edit, find_slots, is_candidate, slot_at
from bot.manifests.shelf import text_formats, yaml_formats
from tests.support.yaml_texts import texts

OLD = "sha256:" + "1f" * 32
ROOT = Path(__file__).parents[3]
Row = tuple[int, str, str, str, str]

SAMPLES: list[tuple[str, str, str, list[Row]]] = [
    ("kubernetes", "app.yaml", """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    spec:
      initContainers:
      - {name: migrate, image: acme/api:1}
      containers:
      - name: api
        image: "acme/api:1"
      - name: proxy
        image: envoy
""", [(8, "image", "acme/api", "1", "Deployment/api/initContainers/migrate"), (11, "image", "acme/api", "1", "Deployment/api/containers/api")]),
    ("kubernetes", "list.json", '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"acme/l:1"}]}}]}',
     [(1, "image", "acme/l", "1", "Pod/p/containers/c")]),
    ("kubernetes", "cr.yaml", "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: p}\nspec: {image: 'quay.io/p/p:v2', thanos: {baseImage: quay.io/t/t, tag: v1}}\n",
     [(4, "image", "quay.io/p/p", "v2", "Prometheus/p/spec/image"), (4, "image", "quay.io/t/t", "v1", "Prometheus/p/spec/thanos")]),
    ("argo-rollouts", "r.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}\nspec: {template: {spec: {containers: [{name: c, image: 'acme/r:1'}]}}}\n",
     [(4, "image", "acme/r", "1", "Rollout/r/containers/c")]),
    ("knative", "k.yaml", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: k}\nspec: {template: {spec: {containers: [{name: u, image: 'acme/k:1'}]}}}\n",
     [(4, "image", "acme/k", "1", "Service/k/containers/u")]),
    ("tekton", "t.yaml", """\
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: ci}
spec:
  tasks:
  - name: build
    taskRef:
      resolver: bundles
      params:
      - {name: bundle, value: "ghcr.io/acme/build:0.3"}
  - name: lint
    taskRef:
      resolver: git
      params:
      - {name: url, value: https://github.com/tektoncd/catalog.git}
      - {name: revision, value: v1.0}
""", [(10, "image", "ghcr.io/acme/build", "0.3", "Pipeline/ci/spec/tasks/build/taskRef/params/bundle/value"),
      (16, "revision", "https://github.com/tektoncd/catalog", "v1.0", "Pipeline/ci/spec/tasks/lint/taskRef/params/revision/value")]),
    ("kustomize", "kustomization.yaml", f"images:\n- name: web\n  newName: ghcr.io/acme/web\n  newTag: 1.2\n- name: pin\n  digest: {OLD}\nhelmCharts:\n- {{name: podinfo, version: 6.0.0}}\n",
     [(4, "image", "ghcr.io/acme/web", "1.2", "images/web"), (6, "image", "pin", f"@{OLD}", "images/pin"), (8, "chart", "podinfo", "6.0.0", "helmCharts/podinfo")]),
    ("flux-kustomization", "fk.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: f}\nspec:\n  images:\n  - {name: acme/a, newTag: v1}\n",
     [(6, "image", "acme/a", "v1", "Kustomization/f/images/acme/a")]),
    ("flux-helmrelease", "hr.yaml", """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: s}
spec:
  chart: {spec: {chart: ./charts/search, version: ">=1.0.0 <2"}}
  values:
    image: {registry: ghcr.io, repository: acme/s, tag: "1"}
    side: {image: "acme/side:2"}
""", [(5, "chart", "search", ">=1.0.0 <2", "HelmRelease/s/chart"), (7, "image", "ghcr.io/acme/s", "1", "HelmRelease/s/values/image"), (8, "image", "acme/side", "2", "HelmRelease/s/values/side/image")]),
    ("flux-source", "src.yaml", """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: o}
spec: {url: "oci://ghcr.io/acme/m", ref: {tag: 5.2.0}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: range}
spec: {url: "oci://ghcr.io/acme/n", ref: {semver: 1.x}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: g}
spec: {url: "https://github.com/a/b.git", ref: {tag: v1.2}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: branch}
spec: {url: "https://github.com/a/c", ref: {branch: main}}
""", [(4, "image", "ghcr.io/acme/m", "5.2.0", "OCIRepository/o/ref"), (9, "image", "ghcr.io/acme/n", "1.x", "OCIRepository/range/ref/semver"), (14, "revision", "https://github.com/a/b", "v1.2", "GitRepository/g/ref/tag")]),
    ("argocd", "app.yaml", """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a}
spec:
  sources:
  - repoURL: ghcr.io/acme/charts
    chart: svc
    targetRevision: 4.1.0
    helm:
      parameters:
      - {name: image.repository, value: acme/p}
      - {name: image.tag, value: "7"}
      values: |
        # text
        image:
          repository: acme/v
          tag: 0.1   # keep
      valuesObject: {image: {repository: acme/o, tag: v1}}
  - repoURL: https://github.com/a/b.git
    targetRevision: main
    kustomize: {images: ["web=acme/web:1.0"]}
""", [(8, "chart", "svc", "4.1.0", "Application/a/svc/chart"), (12, "image", "acme/p", "7", "Application/a/svc/parameters/image.tag"),
      (17, "image", "acme/v", "0.1", "Application/a/svc/values/image"), (18, "image", "acme/o", "v1", "Application/a/svc/values/image"),
      (21, "image", "acme/web", "1.0", "Application/a/b/kustomize/web")]),
    ("argocd", "set.yaml", """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop}
spec:
  generators:
  - matrix:
      generators:
      - list:
          elements:
          - {name: payments, version: 1.2.3, cluster: eu}
  template:
    spec: {source: {repoURL: "https://x/y", targetRevision: "{{version}}"}}
""", [(10, "value", "payments", "1.2.3", "ApplicationSet/shop/elements/payments/version")]),
    ("helm-chart", "x/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: '1.16'\ndependencies:\n- {name: redis, version: ^18.0.0, repository: https://x}\n",
     [(4, "value", "web", "1.16", "appVersion"), (6, "chart", "redis", "^18.0.0", "dependencies/redis")]),
    ("helmfile", "helmfile.yaml", "releases:\n- {name: light, chart: jx3/lighthouse, version: 1.5.0, values: [{image: {repository: acme/l, tag: '1'}}]}\n",
     [(2, "chart", "lighthouse", "1.5.0", "releases/light"), (2, "image", "acme/l", "1", "releases/light/values/image")]),
    ("compose", "docker-compose.yml", f"services:\n  web: {{image: 'nginx:1.25'}}\n  db:\n    image: postgres:16@{OLD}\n  own: {{build: .}}\n",
     [(2, "image", "nginx", "1.25", "services/web"), (4, "image", "postgres", f"16@{OLD}", "services/db")]),
    ("helm-values", "emails/values.yaml", f"""\
image:
  registry: ghcr.io
  repository: acme/e
  tag: "1.10"
  digest: {OLD}
worker:
  image: acme/w:2
sidecars:
- {{name: a, image: {{repository: acme/a, tag: v1}}}}
old: {{image: acme/o, imageTag: "3"}}
bare: {{image: {{tag: 1.2.3}}}}
env:
- {{name: SIDE_IMAGE, value: "acme/s:1"}}
""", [(4, "image", "ghcr.io/acme/e", f"1.10@{OLD}", "image"), (7, "image", "acme/w", "2", "worker/image"), (9, "image", "acme/a", "v1", "sidecars/a/image"),
      (10, "image", "acme/o", "3", "old/imageTag"), (11, "value", "emails/bare", "1.2.3", "bare/image/tag"), (13, "image", "acme/s", "1", "env/SIDE_IMAGE/value")]),
    ("cloudformation", "cf.yaml", """\
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  ApiImageTag: {Type: String, Default: 1.2.3}
Resources:
  T:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
      - Name: api
        Image: 1.dkr.ecr.eu-west-1.amazonaws.com/api:1.4
        Environment: !Sub "x"
""", [(3, "value", "Api", "1.2.3", "Parameters/ApiImageTag"), (10, "image", "1.dkr.ecr.eu-west-1.amazonaws.com/api", "1.4", "Resources/T/Properties/ContainerDefinitions/0/Image")]),
    ("cloudformation", "params.json", '[{"ParameterKey":"ApiImageTag","ParameterValue":"1.2.3"},{"ParameterKey":"Size","ParameterValue":"2"}]',
     [(1, "value", "Api", "1.2.3", "parameters/ApiImageTag")]),
    ("helm-values", "values.yaml", "imageRepository: acme/top\nimageTag: v1\nweb:\n  imageRepository: ghcr.io/acme/web\n  imageTag: v7 # c\n",
     [(2, "image", "acme/top", "v1", "imageTag"), (5, "image", "ghcr.io/acme/web", "v7", "web/imageTag")]),
    ("pulumi", "Pulumi.dev.yaml", "config:\n  app:imageTag: 1.2.3\n  app:image: acme/app:1.0\n  aws:region: eu\n",
     [(2, "value", "app", "1.2.3", "config/app:imageTag"), (3, "image", "acme/app", "1.0", "config/app:image")]),
    ("ansible", "group_vars/all.yml", "payments_version: 1.2.3\nk8s_version: 1.30\nsearch: {version: '4.5', port: 80}\n",
     [(1, "value", "payments", "1.2.3", "payments_version"), (3, "value", "search", "4.5", "search/version")]),
    ("chef", "environments/prod.json", '{"chef_type":"environment","cookbook_versions":{"nginx":"= 1.2.0"},"default_attributes":{"payments":{"version":"1.2.3"}}}',
     [(1, "chart", "nginx", "= 1.2.0", "cookbook_versions/nginx"), (1, "value", "payments", "1.2.3", "default_attributes/payments/version")]),
    ("chef-attributes", "attributes/default.json", '{"default":{"payments":{"version":"1.2.3","image":"acme/p:1"},"web":{"image_tag":"v3"}}}',
     [(1, "value", "payments", "1.2.3", "default/payments/version"), (1, "image", "acme/p", "1", "default/payments/image"), (1, "value", "web", "v3", "default/web/image_tag")]),
    ("chef-attributes", "nodes/web1-dna.json", '{"run_list":["recipe[web]"],"web":{"version":"2.0"}}', [(1, "value", "web", "2.0", "web/version")]),
    ("tfvars-json", "x.auto.tfvars.json", '{"payments_image": "acme/p:1.0", "search": {"version": "1.2"}}',
     [(1, "image", "acme/p", "1.0", "payments_image"), (1, "value", "search", "1.2", "search/version")]),
    ("terraform", "main.tf", """\
module "vpc" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "5.1.2" # keep
}
module "app" {
  source    = "git::https://github.com/acme/mod.git//app?ref=v1.4.0&depth=1"
  image_tag = "1.2.3"
  other     = "${var.tag}"
}
resource "helm_release" "r" {
  chart   = "podinfo"
  version = "6.5.0"
}
locals { image = "ghcr.io/acme/x:1.0" }
""", [(3, "value", "terraform-aws-modules/vpc/aws", "5.1.2", "module/vpc/version"), (6, "revision", "https://github.com/acme/mod.git//app", "v1.4.0", "module/app/source"),
      (7, "value", "app", "1.2.3", "module/app/image_tag"), (12, "chart", "podinfo", "6.5.0", "resource/helm_release/r/version"), (14, "image", "ghcr.io/acme/x", "1.0", "locals/image")]),
    ("terraform", "live/prod/terragrunt.hcl", 'terraform {\r\n  source = "git::git@github.com:acme/m.git//vpc?ref=v0.3.1"\r\n}\r\ninputs = {\r\n  image_tag = "7e12345"\r\n}\r\n',
     [(2, "revision", "git@github.com:acme/m.git//vpc", "v0.3.1", "terraform/source"), (5, "value", "prod", "7e12345", "inputs/image_tag")]),
    ("terraform", "a.tfvars", 'payments_version = "v1.0.0"\nkubernetes_version = "1.30"\n', [(1, "value", "payments", "v1.0.0", "payments_version")]),
    ("dotenv", ".env", 'API_IMAGE=ghcr.io/acme/api:1.2\nexport PAY_VERSION="1.2.3" # c\nFOO=bar\n',
     [(1, "image", "ghcr.io/acme/api", "1.2", "API_IMAGE"), (2, "value", "pay", "1.2.3", "PAY_VERSION")]),
    ("terraform", "ecs.tf", """\
terraform {
  required_version = ">= 1.5"
}
variable "api_image_tag" {
  default = "1.4.2"
}
resource "helm_release" "web" {
  chart = "web"
  set {
    name  = "replicas"
    value = "2"
  }
  set {
    name  = "image.tag"
    value = "7e12345"
  }
}
resource "aws_ecs_task_definition" "t" {
  container_definitions = jsonencode([
    # the only one
    { name = "t", image = "acme/t:3.2" },
  ])
}
resource "docker_image" "d" { name = "acme/d:1.1" }
module "branch" { source = "git::https://x.io/m.git?ref=main" }
module "made" { source = format("git::https://x.io/m.git?ref=%s", var.v) }
""", [(5, "value", "api", "1.4.2", "variable/api_image_tag/default"), (15, "value", "web", "7e12345", "resource/helm_release/web/set/1/value"),
      (21, "image", "acme/t", "3.2", "resource/aws_ecs_task_definition/t/container_definitions/0/0/image"), (24, "image", "acme/d", "1.1", "resource/docker_image/d/name")]),
    ("terraform", "oci.tofu", 'module "m" {\n  source = "oci://ghcr.io/acme/m?tag=1.2.3"\n}\n', [(2, "revision", "oci://ghcr.io/acme/m", "1.2.3", "module/m/source")]),
    ("helmfile", "helmfile.yaml", "releases:\n- name: api\n  chart: acme/api\n  set:\n  - {name: image.tag, value: 1.4.2}\n  - {name: sidecar.image, value: 'acme/s:1'}\n  - {name: replicas, value: 3}\n",
     [(5, "value", "api", "1.4.2", "releases/api/set/image.tag"), (6, "image", "acme/s", "1", "releases/api/set/sidecar.image")]),
    ("cloudformation", "shop/prod-config.json", '{"Parameters": {"ImageTag": "1.4.2", "Size": "2"}, "Tags": {"team": "shop"}}', [(1, "value", "shop", "1.4.2", "Parameters/ImageTag")]),
    ("flux-helmrelease", "post.yaml", "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r}\nspec:\n  postRenderers:\n  - kustomize: {images: [{name: acme/a, newTag: v7}]}\n",
     [(6, "image", "acme/a", "v7", "HelmRelease/r/images/acme/a")]),
    ("kustomize", "kustomization.yaml", "resources:\n- ../base\n- https://github.com/acme/base//web?timeout=90s&ref=v1.2.3 # keep\n- github.com/acme/other?ref=main\n- 'https://github.com/acme/q.git?ref=0.1.0'\n",
     [(3, "revision", "https://github.com/acme/base//web", "v1.2.3", "bases/https://github.com/acme/base//web"), (5, "revision", "https://github.com/acme/q", "0.1.0", "bases/https://github.com/acme/q")]),
    ("helm-values", "shop/values.yaml", "image: {registry: ghcr.io, repository: acme/api, tag: 1.4.2, digest: ''}\nweb:\n  image:\n    repository: acme/web\n    tag: v1\n    digest:\n",
     [(1, "image", "ghcr.io/acme/api", "1.4.2", "image"), (5, "image", "acme/web", "v1", "web/image")]),
    ("tool-versions", ".tool-versions", "python system\nhelm 3.1.0\nnode latest\n", [(2, "value", "helm", "3.1.0", "helm")]),
    ("tool-versions", ".tool-versions", "nodejs 20.1.0\nhelm 3.1.0 # x\n", [(1, "value", "nodejs", "20.1.0", "nodejs"), (2, "value", "helm", "3.1.0", "helm")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "text", "expected"), SAMPLES, ids=[f"{row[0]}-{row[1]}" for row in SAMPLES])
def test_slots_of_a_format(name: str, path: str, text: str, expected: list[Row]) -> None:
    found = find_slots(path, text.encode())
    assert [(slot.line, slot.holds.value, slot.artifact, slot.version.text, slot.key) for slot in found.slots] == expected
    assert {slot.format for slot in found.slots} == {name}
    assert not found.problems
    for slot in found.slots:
        check_editable(path, text.encode(), slot)


def test_every_format_has_a_sample() -> None:
    assert {one.name for one in (*yaml_formats(), *text_formats())} == {row[0] for row in SAMPLES}


def check_editable(path: str, content: bytes, slot: Slot) -> None:
    """The address of a slot changes that slot, by its own characters, and nothing else in the file."""
    text = content.decode()
    assert text[slot.start : slot.end] == (slot.version.tag or slot.version.digest)
    new = {"digest": "sha256:" + "2e" * 32} if slot.version.tag is None else {"tag": "9.8.7"}
    if slot.version.digest is not None:
        new["digest"] = "sha256:" + "2e" * 32
    edited = edit(content, slot.address, new)
    after = {one.key: one for one in find_slots(path, edited).slots if one.artifact == slot.artifact}[slot.key]
    assert (after.version.tag, after.version.digest) == (new.get("tag"), new.get("digest"))
    others = [
        (one.key, one.artifact, one.version)
        for one in find_slots(path, edited).slots
        if one.key != after.key or one.artifact != after.artifact
    ]
    assert others == [
        (one.key, one.artifact, one.version)
        for one in find_slots(path, content).slots
        if one.key != slot.key or one.artifact != slot.artifact
    ]
    same = {name: value for name, value in (("tag", slot.version.tag), ("digest", slot.version.digest)) if value is not None}
    assert edit(content, slot.address, same) == content


@pytest.mark.parametrize(
    ("path", "text", "line", "code"),
    [
        ("a.yaml", "x: &i acme/api:1\nimage: *i\n", 2, "ThroughAlias"),
        ("a.yaml", "b: &b\n  image: acme/api:1\nc:\n  <<: *b\n", 2, "SharedAnchor"),
        ("a.yaml", 'x: 1\nimage: "acme/api:{{ .T }}"\n', 2, "TemplateSyntax"),
        ("a.yaml", "image: {{ .T }}\n", 1, "TemplateSyntax"),
        ("a.yaml", "image: [x\n", 2, "ParseError"),
        ("a.yaml", "image: acme/api:1\nimage: acme/api:1\n", 2, "DuplicateKey"),
        ("docker-compose.yml", "services:\n  a:\n    image: acme/a:${TAG:-1}\n", 3, "TemplateSyntax"),
        ("cf.yaml", 'AWSTemplateFormatVersion: x\nResources:\n  Image: !Sub "acme/b:${T}"\n', 3, "TemplateSyntax"),
        ("s.yaml", "image: acme/a:1\nsops: {mac: x}\n", 1, "SopsEncrypted"),
        ("kustomization.yaml", "x: &i\n- {name: a, newTag: '1'}\nimages: *i\n", 3, "ThroughAlias"),
        (".env", "A_TAG=1.0\nA_TAG=1.1\n", 1, "AmbiguousMatch"),
        ("main.tf", 'version = "1\n', 1, "ParseError"),
    ],
)
def test_what_cannot_be_edited_is_told_with_its_line(path: str, text: str, line: int, code: str) -> None:
    found = find_slots(path, text.encode())
    assert not found.slots
    assert (found.problems[0].line, found.problems[0].code) == (line, code)
    assert found.problems[0].message.endswith(".")


def test_one_bad_place_does_not_hide_the_others() -> None:
    found = find_slots("a.yaml", b'a: {image: "acme/a:{{ x }}"}\nb: {image: "acme/b:1"}\n')
    assert [slot.artifact for slot in found.slots] == ["acme/b"]
    assert [problem.line for problem in found.problems] == [1]


@pytest.mark.parametrize("path", ["README.md", "x.py", "package-lock.json", ".github/workflows/ci.yaml", "chart/templates/d.yaml", "node_modules/a/b.yaml", ".terraform/m/main.tf"])  # fmt: skip
def test_files_of_others_are_not_read(path: str) -> None:
    assert not is_candidate(path)
    assert find_slots(path, b"image: acme/api:1\n").slots == ()


def test_offsets_count_the_byte_order_mark() -> None:
    content = "\ufeffimage: acme/é\nx: {image: 'acme/api:1'}\n".encode()
    slot = find_slots("values.yaml", content).slots[0]
    assert content.decode()[slot.start : slot.end] == "1"
    assert (slot.line, slot.column) == (2, 22)


def test_slots_of_the_example_environments() -> None:
    for stage in ("dev", "qa", "uat", "prod"):
        folder = ROOT / "environments" / stage
        artifacts = set()
        for file in sorted(folder.rglob("*.yaml")):
            path = file.relative_to(folder).as_posix()
            found = find_slots(path, file.read_bytes())
            assert not found.problems
            for slot in found.slots:
                check_editable(path, file.read_bytes(), slot)
            artifacts |= {slot.artifact for slot in found.slots}
        assert {"ghcr.io/acme/payments", "ghcr.io/acme/gateway", "ghcr.io/acme/loyalty", "ghcr.io/acme/reviews", "search"} <= artifacts


@pytest.mark.parametrize(
    ("address", "artifact", "version", "line"),
    [
        ({"path": "$.a.tag"}, "api", "v1", 2),
        ({"path": "$.i"}, "api", "2", 3),
        ({"marker": "m: x"}, "api", "v1", 2),
        ({"regex": r"other: (?P<version>\S+)"}, "api", "1.0", 4),
        ({"path": "$.v", "embedded": {"path": "$.tag"}}, "api", "v3", 6),
        ({"path": "$.m"}, "api", f"1@{OLD}", 7),
    ],
)
def test_slot_at_an_address(address: dict[str, object], artifact: str, version: str, line: int) -> None:
    content = f"a:\n  tag: v1 # m: x\ni: acme/x:2\nother: 1.0\nv: |\n  tag: v3\nm: {{tag: '1', digest: '{OLD}'}}\n".encode()
    found = slot_at("f.yaml", content, address, artifact="api")
    assert not found.problems
    (slot,) = found.slots
    assert (slot.artifact, slot.version.text, slot.line, slot.address) == (artifact, version, line, address)
    assert content.decode()[slot.start : slot.end] == slot.version.tag


@pytest.mark.parametrize(
    ("text", "address", "version", "line"),
    [
        ('locals {\n  image = "acme/x:1"\n}\n', {"hcl": "/locals/image"}, "1", 2),
        ('terraform {\n  source = "git::https://x/y?ref=v3"\n}\n', {"hcl": "/terraform/source"}, "v3", 2),
        ("{{ if }}\nimage: acme/x:1 # m: x\n", {"marker": "m: x"}, "1", 2),
        ("A=1\nTAG=v1 # m: x\n", {"marker": "m: x"}, "v1", 2),
        ("images: [web=acme/web:1.0]\n", {"path": "$.images[0]"}, "1.0", 1),
    ],
)
def test_slot_at_an_address_in_other_texts(text: str, address: dict[str, object], version: str, line: int) -> None:
    (slot,) = slot_at("f", text.encode(), address, artifact="api").slots
    assert (slot.version.text, slot.line, text[slot.start : slot.end]) == (version, line, version)


HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  source:\n    helm:\n"


@pytest.mark.parametrize(
    ("values", "line", "code"),
    [
        ("      values: >\n        image: {repository: acme/a, tag: v1}\n", 7, "UnsupportedScalar"),
        ("      values: |\n        image: [x\n", 7, "ParseError"),
        ("      values: |\n        # c\n        image: {repository: acme/a, tag: '{{ .T }}'}\n", 9, "TemplateSyntax"),
        ("      values: &v |\n        image: {repository: acme/a, tag: v1}\n      x: *v\n", 7, "SharedAnchor"),
    ],
)
def test_embedded_values_that_cannot_be_gone_into(values: str, line: int, code: str) -> None:
    found = find_slots("a.yaml", (HEAD + values).encode())
    assert not found.slots
    assert [(one.line, one.code) for one in found.problems] == [(line, code)]


def test_slot_at_a_wrong_address_is_a_problem() -> None:
    found = slot_at("f.yaml", b"a: 1\n", {"path": "$.b"}, artifact="api")
    assert not found.slots
    assert found.problems[0].code == "PathNotFound"
    assert slot_at("f.yaml", b"a: 1\n", {"nope": 1}, artifact="api").problems[0].code == "BadAddress"


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    content=texts().map(str.encode) | st.binary(max_size=80),
    head=st.sampled_from([b"", b"image: acme/a:1\n", b"apiVersion: v1\nkind: Pod\nimages: x\n", b"apiVersion: argoproj.io/v1\nkind: Application\nspec: [source, image]\n"]),
    path=st.sampled_from(["a.yaml", "values.json", "kustomization.yaml", "Chart.yaml", "main.tf", ".env", ".tool-versions", "group_vars/x.yml", "Pulumi.a.yaml", "x.tfvars.json"]),
)  # fmt: skip
def test_finding_never_raises_and_spans_hold_versions(content: bytes, head: bytes, path: str) -> None:
    whole = head + content
    for slot in find_slots(path, whole).slots:
        assert whole.decode()[slot.start : slot.end] == (slot.version.tag or slot.version.digest)
