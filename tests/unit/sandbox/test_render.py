"""What a GitOps agent makes of a tree: every format that environments use, by the tools' own semantics; and trees of any kind."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.cluster.render import Rendered, render
from bot.sandbox.cluster.world import containers
from tests.support.clusters import manifest

ENVIRONMENTS = Path(__file__).resolve().parents[3] / "environments"


def tree(files: dict[str, str], folder: str = "", stage: str = "dev") -> Rendered:
    return render({path: text.encode() for path, text in files.items()}, folder, stage)


def images(rendered: Rendered) -> dict[str, list[str]]:
    """Workload name -> its images."""
    found: dict[str, list[str]] = {}
    for item in rendered.items:
        spec = item.obj.get("spec") or {}
        template = ((spec.get("jobTemplate") or {}).get("spec") or spec).get("template") or {}
        pod = template.get("spec") if isinstance(template, dict) else None
        if pod and pod.get("containers"):
            found[item.obj["metadata"]["name"]] = [container["image"] for _, container in containers(pod)]
    return found


def test_plain_manifests_of_several_documents_and_lists() -> None:
    listed = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(manifest("b", "x/b:2"))]})
    rendered = tree({"a.yaml": manifest("a", "x/a:1") + "---\n# nothing\n---\n" + manifest("c", "x/c:3"), "b.json": listed})
    assert images(rendered) == {"a": ["x/a:1"], "b": ["x/b:2"], "c": ["x/c:3"]}
    assert rendered.problems == []


KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{name: x/web, newTag: '2'}", "x/web:2"),
        ("{name: x/web, newTag: 1.10}", "x/web:1.10"),
        ("{name: x/web, newName: y/web, newTag: '2'}", "y/web:2"),
        ("{name: x/web, newName: y/web}", "y/web:1"),
        ("{name: x/web, digest: 'sha256:abc'}", "x/web@sha256:abc"),
        ("{name: x/web, newTag: '2', digest: 'sha256:abc'}", "x/web@sha256:abc"),
        ("{name: web, newTag: '2'}", "x/web:1"),
    ],
)
def test_kustomize_images(entry: str, expected: str) -> None:
    files = {"kustomization.yaml": f"{KUSTOMIZATION}resources: [web.yaml]\nimages: [{entry}]\n", "web.yaml": manifest("web", "x/web:1")}
    assert images(tree(files)) == {"web": [expected]}


def test_kustomize_base_overlay_patches_and_names() -> None:
    overlay = (
        f"{KUSTOMIZATION}namespace: live\nnamePrefix: p-\nresources: [../../base]\nimages: [{{name: x/web, newTag: '2'}}]\n"
        "replicas: [{name: p-web, count: 7}]\n"
        "patches:\n  - path: patch.yaml\n  - target: {kind: Deployment, name: web}\n"
        '    patch: \'[{"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}}]\'\n'
    )
    side = "spec: {template: {spec: {containers: [{name: side, image: x/side:9}]}}}\n"
    patch = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\n{side}"
    files = {
        "base/kustomization.yaml": f"{KUSTOMIZATION}resources: [web.yaml]\n",
        "base/web.yaml": manifest("web", "x/web:1"),
        "overlays/live/kustomization.yaml": overlay,
        "overlays/live/patch.yaml": patch,
    }
    rendered = tree(files)
    (item,) = rendered.items
    assert (item.obj["metadata"]["name"], item.obj["metadata"]["namespace"], item.obj["spec"]["replicas"]) == ("p-web", "live", 7)
    assert item.obj["metadata"]["annotations"] == {"a": "b"}
    assert images(rendered) == {"p-web": ["x/web:2", "x/side:9"]}


def test_a_base_outside_of_the_stage_folder_is_found() -> None:
    files = {
        "base/kustomization.yaml": f"{KUSTOMIZATION}resources: [web.yaml]\n",
        "base/web.yaml": manifest("web", "x/web:1"),
        "dev/kustomization.yaml": f"{KUSTOMIZATION}resources: [../base]\nimages: [{{name: x/web, newTag: '2'}}]\n",
        "qa/kustomization.yaml": f"{KUSTOMIZATION}resources: [../base]\n",
    }
    assert images(tree(files, "dev")) == {"web": ["x/web:2"]}
    assert images(tree(files, "qa")) == {"web": ["x/web:1"]}


def test_a_kustomization_that_refers_to_itself_is_a_problem() -> None:
    files = {
        "a/kustomization.yaml": f"{KUSTOMIZATION}resources: [../b]\n",
        "b/kustomization.yaml": f"{KUSTOMIZATION}resources: [../a]\n",
        "c/kustomization.yaml": f"{KUSTOMIZATION}resources: [../a, https://example.org/base]\n",
    }
    problems = tree(files).problems
    assert any("refers to itself" in problem for problem in problems)
    assert any("https://example.org/base is not in this repository" in problem for problem in problems)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("image: {repository: x/web, tag: 1.10}", {"app": ["x/web:1.10"]}),
        ("image: {registry: ghcr.io, repository: x/web, tag: '2'}", {"app": ["ghcr.io/x/web:2"]}),
        ("image: {repository: x/web, tag: v1, digest: 'sha256:abc'}", {"app": ["x/web:v1@sha256:abc"]}),
        ("image: x/web:2", {"app": ["x/web:2"]}),
        ("image: x/web\ntag: 2026-10-01", {"app": ["x/web:2026-10-01"]}),
        ("a: {b: {image: {repository: x/b, tag: '1'}}}\nc: {image: 'x/c:2'}", {"app-b": ["x/b:1"], "app-c": ["x/c:2"]}),
        ("workers: [{name: one, image: 'x/one:1'}, {name: two, image: 'x/two:2'}]", {"app-one": ["x/one:1"], "app-two": ["x/two:2"]}),
        ("image: {repository: x/web}\nurl: 'https://x/y:1'", {}),
    ],
)
def test_helm_values_at_any_depth(values: str, expected: dict[str, list[str]]) -> None:
    assert images(tree({"app/values.yaml": values})) == expected


def test_templates_of_a_chart_are_left_to_its_values() -> None:
    files = {
        "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: '7'\n",
        "web/values.yaml": "image: {repository: x/web, tag: ''}\n",
        "web/templates/deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n",
    }
    rendered = tree(files)
    assert images(rendered) == {"web": ["x/web:7"]}
    assert rendered.problems == []


def test_helm_values_of_the_stage_lie_over_the_common_ones() -> None:
    files = {
        "web/values.yaml": "image: {repository: x/web, tag: '1'}",
        "web/values-dev.yaml": "image: {tag: '2'}",
        "web/values-qa.yaml": "image: {tag: '3'}",
    }
    assert images(tree(files, stage="dev")) == {"web": ["x/web:2"]}
    assert images(tree(files, stage="qa")) == {"web": ["x/web:3"]}


def application(source: str, name: str = "web") -> str:
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\n"
        f"spec:\n  destination: {{namespace: shop}}\n  source:\n    {source}\n"
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{repoURL: ghcr.io/x/charts, chart: web, targetRevision: 1.2.3, helm: {values: 'image: {repository: x/web, tag: 1.10}'}}",
            "x/web:1.10",
        ),
        (
            "{repoURL: ghcr.io/x/charts, chart: web, targetRevision: 1.2.3, helm: {valuesObject: {image: {repository: x/web, tag: '2'}}}}",
            "x/web:2",
        ),
        (
            "{repoURL: ghcr.io/x/charts, chart: web, targetRevision: 1.2.3, helm: {parameters: [{name: image.repository, value: x/web},"
            " {name: image.tag, value: '3'}]}}",
            "x/web:3",
        ),
        ("{repoURL: 'https://e.org/x/web.git', path: deploy, targetRevision: v1, kustomize: {images: ['x/web:4']}}", "x/web:4"),
        (
            "{repoURL: 'https://e.org/x/web.git', path: deploy, targetRevision: v1, kustomize: {images: ['web=x/web@sha256:abc']}}",
            "x/web@sha256:abc",
        ),
        ("{repoURL: ghcr.io/x/charts, chart: web, targetRevision: 1.2.3}", "ghcr.io/x/charts/web:1.2.3"),
    ],
)
def test_argo_cd_applications(source: str, expected: str) -> None:
    rendered = tree({"app.yaml": application(source)})
    assert images(rendered) == {"web": [expected]}
    assert [item.owner for item in rendered.items if item.owner] == [("Application", "argocd", "web")]


def test_an_application_reads_the_values_beside_it_and_they_run_once() -> None:
    source = (
        "{repoURL: x, chart: web, targetRevision: 1.2.3}\n  sources:\n    - repoURL: ghcr.io/x/charts\n      chart: web\n"
        "      targetRevision: 1.2.3\n      helm: {valueFiles: [$values/web/values.yaml]}\n"
        "    - {repoURL: here, targetRevision: main, ref: values}"
    )
    rendered = tree({"web/application.yaml": application(source), "web/values.yaml": "image: {repository: x/web, tag: '5'}\n"})
    assert images(rendered) == {"web": ["x/web:5"]}


def test_an_applicationset_gives_an_application_for_each_element() -> None:
    text = (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: all, namespace: argocd}\nspec:\n"
        "  generators:\n    - list:\n        elements:\n          - {name: a, tag: '1'}\n          - {name: b, tag: '2'}\n"
        "  template:\n    metadata: {name: '{{name}}'}\n    spec:\n      destination: {namespace: shop}\n"
        "      source: {repoURL: ghcr.io/x/charts, chart: web, targetRevision: 1.0.0,"
        " helm: {values: 'image: {repository: x/web, tag: \"{{ .tag }}\"}'}}\n"
    )
    assert images(tree({"set.yaml": text})) == {"a": ["x/web:1"], "b": ["x/web:2"]}


def test_flux_kustomizations_of_a_folder_and_of_an_artifact() -> None:
    flux = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\n"
        "spec: {path: ./apps, targetNamespace: shop, sourceRef: {kind: GitRepository, name: x},"
        " images: [{name: x/web, newTag: '2'}]}\n---\n"
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: n, namespace: flux-system}\n"
        "spec: {url: 'oci://ghcr.io/x/manifests/n', ref: {tag: 5.2.0}}\n---\n"
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: n, namespace: flux-system}\n"
        "spec: {path: ./, targetNamespace: shop, sourceRef: {kind: OCIRepository, name: n}}\n"
    )
    rendered = tree({"clusters/flux.yaml": flux, "apps/web.yaml": manifest("web", "x/web:1")})
    assert images(rendered) == {"n": ["ghcr.io/x/manifests/n:5.2.0"], "web": ["x/web:2"]}
    assert {item.obj["metadata"]["namespace"] for item in rendered.items if item.obj["kind"] == "Deployment"} == {"shop"}


def test_what_no_agent_understands_is_skipped_and_what_is_broken_is_told() -> None:
    files = {
        "README.md": "# hello",
        "notes.yaml": "just text",
        "list.yaml": "- 1\n- 2\n",
        "bad.yaml": "a: [",
        "nul.yaml": "a: \x00",
        "sops.yaml": "sops: {mac: x}\n",
        ".github/workflows/ci.yaml": "jobs: {a: {container: {image: 'x/ci:1'}}}",
        "web.yaml": manifest("web", "x/web:1"),
        "many.yaml": "a: &a [1]\nb: [" + ", ".join(["*a"] * 200) + "]\n",
    }
    rendered = tree(files)
    assert images(rendered) == {"web": ["x/web:1"]}
    assert sorted({problem.partition(":")[0] for problem in rendered.problems}) == ["bad.yaml", "many.yaml", "nul.yaml"]


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=6), st.sampled_from(["x/web:1", "x/web", "1.10", "../a", "web.yaml"])
)
WORDS = (
    "apiVersion", "kind", "metadata", "name", "spec", "image", "repository", "tag", "images", "resources",
    "containers", "template", "patches", "sources", "source", "helm", "values", "parameters", "path", "chart", "items",
    "generators", "newTag", "labels", "replicas", "sourceRef",
)  # fmt: skip
KEYS = st.sampled_from(WORDS)
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=14)
HEADS = st.sampled_from(
    [
        ("apps/v1", "Deployment"),
        ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
        ("argoproj.io/v1alpha1", "Application"),
        ("argoproj.io/v1alpha1", "ApplicationSet"),
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
        ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
        ("batch/v1", "CronJob"),
        ("v1", "List"),
    ]
)
PATHS = st.sampled_from(
    ["web.yaml", "kustomization.yaml", "a/kustomization.yaml", "values.yaml", "a/values.yaml", "a/Chart.yaml", "b/x.json"]
)


@st.composite
def odd_objects(draw: st.DrawFn) -> dict[str, Any]:
    api_version, kind = draw(HEADS)
    body = draw(DOCUMENTS)
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": body, **(body if isinstance(body, dict) else {})}


@settings(max_examples=150)
@given(st.dictionaries(PATHS, st.lists(DOCUMENTS | odd_objects(), min_size=1, max_size=2), max_size=4))
def test_no_tree_makes_the_agent_fail(files: dict[str, list[Any]]) -> None:
    texts = {path: yaml.safe_dump_all(documents).encode() for path, documents in files.items()}
    rendered = render(texts, "", "dev")
    assert all(isinstance(item.obj["metadata"]["name"], str) for item in rendered.items)


@pytest.mark.parametrize("stage", ["dev", "qa", "uat", "prod"])
def test_the_example_environments_render_whole(stage: str) -> None:
    folder = ENVIRONMENTS / stage
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    rendered = render(files, "", stage)
    assert rendered.problems == []
    found = images(rendered)
    assert found["payments"] == [f"ghcr.io/acme/payments:{'1.9.0' if stage == 'dev' else '1.8.2'}"] * 2
    assert found["emails"] == [f"ghcr.io/acme/emails:{'1.10' if stage == 'dev' else '1.9'}"]
    assert ("fraud" in found) == (stage != "prod")
    assert len(found) == (21 if stage != "prod" else 20)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("stage", ["dev", "qa", "uat", "prod"])
def test_kustomize_itself_reads_the_example_the_same_way(stage: str) -> None:
    folder = ENVIRONMENTS / stage
    built = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True, timeout=60).stdout
    theirs = {(obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"]): obj for obj in yaml.safe_load_all(built)}
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    ours = {
        (item.obj["kind"], item.obj["metadata"].get("namespace"), item.obj["metadata"]["name"]): item.obj
        for item in render(files, "", stage).items
        if item.owner is None
    }
    assert ours == theirs
