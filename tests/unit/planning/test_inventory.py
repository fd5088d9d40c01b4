"""What is a service, and what it is called."""

import pytest

from bot.domain.image import Version
from bot.domain.slot import Holds, SlotProblem
from bot.manifests import find_slots
from bot.planning.inventory import short_names, views
from tests.support.builders import config, slot

OCI = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: p}\n"
APPLICATION = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: p}\n"
LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def names(found, stage="qa"):
    return sorted(found[stage])


def test_an_image_in_two_stages_is_a_service_named_by_its_last_part():
    found = views(config(), {"dev": (slot("2"),), "qa": (slot("1"),)}, {})
    assert names(found) == ["payments"]
    assert found["dev"]["payments"].release.main == Version(tag="2")


def test_an_image_in_one_stage_alone_is_none():
    assert names(views(config(), {"dev": (slot(),), "qa": ()}, {}), "dev") == []


def test_ignored_images_are_none():
    ignoring = config(discovery={"ignore": ["*/payments"]})
    assert names(views(ignoring, {"dev": (slot(),), "qa": (slot(),)}, {})) == []
    assert names(views(config(discovery={"enabled": False}), {"dev": (slot(),), "qa": (slot(),)}, {})) == []


def test_a_configured_service_may_have_another_image_in_each_stage():
    both = config(services={"warehouse": {"images": {"dev": ["registry-dev.acme.io/x"], "qa": ["registry.acme.io/x"]}}})
    slots = {
        "dev": (slot("2", artifact="registry-dev.acme.io/x"),),
        "qa": (slot("1", artifact="registry.acme.io/x"),),
    }
    found = views(both, slots, {})
    assert names(found) == names(found, "dev") == ["warehouse"]
    assert found["dev"]["warehouse"].release.versions[0][0] == found["qa"]["warehouse"].release.versions[0][0]


def test_images_that_move_together_make_one_release():
    both = config(services={"shop": {"images": ["ghcr.io/acme/api", "ghcr.io/acme/worker"]}})
    slots = (slot("2", service="api"), slot("3", service="worker"))
    release = views(both, {"dev": slots, "qa": slots}, {})["qa"]["shop"].release
    assert [str(version) for _, version in release.versions] == ["2", "3"]


def test_slots_of_one_image_must_agree_and_a_known_digest_fills_in():
    digest = "sha256:" + "a" * 64
    known, unknown, other = slot(Version(tag="1", digest=digest)), slot("1", line=9), slot("2", line=11)
    assert views(config(), {"dev": (known, unknown), "qa": (known,)}, {})["dev"]["payments"].release.main.digest == digest
    torn = views(config(), {"dev": (known, other), "qa": (known,)}, {})["dev"]["payments"]
    assert (torn.release, torn.ambiguous) == (None, True)


def test_problems_go_to_the_services_of_their_file():
    problem = SlotProblem(path="payments/deployment.yaml", line=3, code="ThroughAlias", message="an alias.")
    found = views(config(), {"dev": (slot(),), "qa": (slot(),)}, {"qa": (problem,)})
    assert found["qa"]["payments"].problems == (problem,)
    assert found["dev"]["payments"].problems == ()


def test_names_take_as_many_parts_as_they_need():
    images = {"ghcr.io/acme/api": Holds.IMAGE, "ghcr.io/other/api": Holds.IMAGE, "redis": Holds.IMAGE}
    assert short_names(images, taken=set()) == {"ghcr.io/acme/api": "acme-api", "ghcr.io/other/api": "other-api", "redis": "redis"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("helmfile.yaml", "releases:\n- name: p\n  chart: oci://ghcr.io/acme/charts/payments\n  version: 1.2.3\n"),
        ("main.tf", 'resource "helm_release" "p" {\n  chart = "oci://ghcr.io/acme/charts/payments"\n  version = "1.2.3"\n}\n'),
        ("app.yaml", f"{APPLICATION}spec: {{source: {{repoURL: ghcr.io/acme/charts, chart: payments, targetRevision: 1.2.3}}}}\n"),
        ("source.yaml", f"{OCI}spec: {{url: 'oci://ghcr.io/acme/charts/payments', ref: {{tag: 1.2.3}}}}\n"),
        ("range.yaml", f"{OCI}spec: {{url: 'oci://ghcr.io/acme/helm/payments', ref: {{semver: '>=1.2.3'}}}}\n"),
        ("layer.yaml", f"{OCI}spec: {{url: 'oci://ghcr.io/x/payments', layerSelector: {{mediaType: {LAYER}}}, ref: {{tag: 1.2.3}}}}\n"),
    ],
)
def test_a_chart_has_one_short_name_however_it_is_spelt(path: str, text: str):
    [found] = find_slots(path, text.encode()).slots
    assert short_names({found.artifact: found.holds}, taken=set()) == {found.artifact: "payments"}
    beside = short_names({found.artifact: found.holds, "ghcr.io/acme/payments": Holds.IMAGE}, taken=set())
    assert beside == {found.artifact: "payments-chart", "ghcr.io/acme/payments": "payments"}


def test_manifests_in_a_registry_are_no_chart():
    [found] = find_slots("source.yaml", f"{OCI}spec: {{url: 'oci://ghcr.io/acme/manifests/web', ref: {{tag: 1.2.3}}}}\n".encode()).slots
    assert found.holds is Holds.IMAGE


def test_charts_step_aside_for_images_and_configured_names():
    found = short_names({"search": Holds.CHART, "ghcr.io/acme/search": Holds.IMAGE}, taken=set())
    assert found == {"ghcr.io/acme/search": "search", "search": "search-chart"}
    assert short_names({"ghcr.io/acme/search": Holds.IMAGE}, taken={"search"}) == {"ghcr.io/acme/search": "acme-search"}
    assert short_names({"https://github.com/acme/deploy.git": Holds.REVISION}, taken=set()) == {
        "https://github.com/acme/deploy.git": "deploy"
    }
