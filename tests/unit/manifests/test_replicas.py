"""What git declares of replicas for certain: plain manifests, seen through the kustomizations that bring them."""

import pytest

from bot.manifests import find_slots, is_candidate
from bot.manifests.replicas import declared


def deployment(replicas: object, *, name: str = "web", namespace: str = "", kind: str = "Deployment") -> str:
    where = f", namespace: {namespace}" if namespace else ""
    said = "" if replicas is None else f"  replicas: {replicas}\n"
    return (
        f"apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}{where}}}\nspec:\n{said}"
        "  template: {spec: {containers: [{name: web, image: 'acme/web:1.0.0'}]}}\n"
    )


def counts(**files: str) -> dict[tuple[str, str], int | None]:
    """What a stage with these files (`a__b` is a/b, the ending is .yaml) declares, by namespace and name."""
    found = [find_slots(f"{name.replace('__', '/')}.yaml", text.encode()) for name, text in files.items()]
    assert not [problem for one in found for problem in one.problems]
    certain = declared([each for one in found for each in one.replicas], [each for one in found for each in one.kustomized])
    return {(namespace, name): one.count for (_, namespace, name), one in certain.items()}


def test_a_plain_manifest_says_how_many_and_where() -> None:
    [one] = find_slots("web.yaml", deployment(3, namespace="shop").encode()).replicas
    assert (one.kind, one.namespace, one.name, one.count, one.path, one.line) == ("Deployment", "shop", "web", 3, "web.yaml", 5)


def test_zero_is_a_number_and_a_missing_field_is_none() -> None:
    assert counts(web=deployment(0)) == {("", "web"): 0}
    assert counts(web=deployment(None)) == {}


@pytest.mark.parametrize("written", ["${REPLICAS}", '"3"', "3.0", "0x3", "010", "1e1", "null", "!!int 3", "&few 3"])
def test_what_is_no_plain_number_is_not_certain(written: str) -> None:
    assert counts(web=deployment(written)) == {}


def test_every_object_of_a_file_and_of_a_list_speaks() -> None:
    both = deployment(2) + "---\n" + deployment(5, name="api", kind="StatefulSet")
    assert counts(all=both) == {("", "web"): 2, ("", "api"): 5}
    indented = "".join(f"  {line}\n" for line in deployment(4).splitlines())
    assert counts(all=f"apiVersion: v1\nkind: List\nitems:\n-{indented[1:]}") == {("", "web"): 4}


def test_kinds_without_replicas_of_pods_do_not_speak() -> None:
    assert counts(web=deployment(3, kind="DaemonSet"), own=deployment(3, kind="Cache", name="redis")) == {}


def test_two_files_that_disagree_say_nothing_and_two_that_agree_do() -> None:
    assert counts(a__web=deployment(2), b__web=deployment(3)) == {}
    assert counts(a__web=deployment(2), b__web=deployment("${N}")) == {}
    assert counts(a__web=deployment(2), b__web=deployment(2)) == {("", "web"): 2}
    assert counts(a__web=deployment(2, namespace="eu"), b__web=deployment(3, namespace="us")) == {("eu", "web"): 2, ("us", "web"): 3}


def test_a_kustomization_that_only_brings_a_manifest_leaves_its_number() -> None:
    plain = "resources: [web.yaml]\nimages:\n- name: acme/web\n  newTag: 1.1.0\n"
    assert counts(app__kustomization=plain, app__web=deployment(2)) == {("", "web"): 2}


def test_replicas_of_a_kustomization_take_the_manifests_place_also_through_a_base() -> None:
    over = "resources: [../base]\nreplicas:\n- {name: web, count: 7}\n"
    base = {"base__kustomization": "resources: [web.yaml, api.yaml]\n", "base__web": deployment(2), "base__api": deployment(1, name="api")}
    assert counts(prod__kustomization=over, **base) == {("", "web"): 7, ("", "api"): 1}
    other = "resources: [../base]\nreplicas:\n- {name: web, count: 8}\n"
    assert counts(prod__kustomization=over, test__kustomization=other, **base) == {("", "api"): 1}


@pytest.mark.parametrize(
    "rewriting",
    [
        "patches:\n- path: more.yaml\n",
        "patches:\n- patch: |\n    - op: replace\n      path: /spec/replicas\n      value: 9\n  target: {kind: Deployment}\n",
        "patchesStrategicMerge: [more.yaml]\n",
        "patchesJson6902: [{path: more.yaml}]\n",
        "components: [../more]\n",
        "transformers: [more.yaml]\n",
        "replacements: [{path: more.yaml}]\n",
        "namePrefix: eu-\n",
        "replicas:\n- {name: web, count: '${COUNT}'}\n",
    ],
)
def test_what_may_rewrite_a_number_makes_it_unknown(rewriting: str) -> None:
    base = {"base__kustomization": "resources: [web.yaml]\n", "base__web": deployment(2)}
    assert counts(prod__kustomization=f"resources: [../base]\n{rewriting}", **base) == {}
    assert counts(elsewhere__kustomization=rewriting, **base) == {("", "web"): 2}


def test_a_patch_in_place_that_names_no_replicas_changes_none() -> None:
    patch = "resources: [web.yaml]\npatches:\n- patch: |\n    - op: add\n      path: /metadata/labels/team\n      value: pay\n"
    assert counts(app__kustomization=patch, app__web=deployment(2)) == {("", "web"): 2}


def test_a_manifest_beside_a_kustomization_that_does_not_bring_it_is_no_word() -> None:
    assert counts(app__kustomization="resources: [../base]\npatches: [{path: web.yaml}]\n", app__web=deployment(9)) == {}


def test_kustomizations_in_a_circle_come_to_an_end() -> None:
    one, two = "resources: [../two, web.yaml]\n", "resources: [../one]\nnamePrefix: x-\n"
    assert counts(one__kustomization=one, two__kustomization=two, one__web=deployment(2)) == {}


def test_a_file_that_was_only_read_for_its_replicas_and_cannot_be_is_no_problem_and_no_word() -> None:
    assert counts(web="{{ if .Values.x }}\nreplicas: 3\n") == {}
    assert counts(app__kustomization="resources: [web.yaml\n", app__web=deployment(2)) == {}


def test_a_kustomization_without_an_ending_is_read_too() -> None:
    assert is_candidate("app/Kustomization")
    [found] = find_slots("app/Kustomization", b"resources: [web.yaml]\nnameSuffix: -x\n").kustomized
    assert (found.resources, found.rewrites) == (("web.yaml",), True)


def test_four_times_the_kustomizations_take_about_four_times_as_long() -> None:
    from time import process_time

    def seconds(count: int) -> float:
        files = [find_slots(f"app{n}/kustomization.yaml", b"resources: [web.yaml]\n") for n in range(count)]
        webs = [find_slots(f"app{n}/web.yaml", deployment(2, name=f"web{n}").encode()) for n in range(count)]
        began = process_time()
        assert len(declared([one.replicas[0] for one in webs], [one.kustomized[0] for one in files])) == count
        return process_time() - began

    assert min(seconds(800) for _ in range(3)) < 9 * min(seconds(200) for _ in range(3))
