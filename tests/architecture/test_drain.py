"""What stops a pod waits long enough: the drain, requests under way, runs under way, and a little for the rest."""

import inspect
from pathlib import Path

import pytest
import yaml

from bot.reconcile.engine import Timing
from bot.settings import PREFIX
from bot.web.server import serve
from tests.architecture.test_chart import CHART, SCHEMA, of, rendered

DRAIN = f"{PREFIX}DRAIN_SECONDS"
REST = 5
KUSTOMIZE = Path(CHART).parents[1] / "kustomize" / "workload.yaml"


def pods():
    based = list(yaml.safe_load_all(KUSTOMIZE.read_text()))
    return [of(objects, "StatefulSet")[0]["spec"]["template"]["spec"] for objects in (rendered(), based)]


def needed(drain: float) -> float:
    """Seconds from the signal to the end, at worst."""
    requests = inspect.signature(serve).parameters["stop_seconds"].default
    return drain + requests + Timing().stop_wait.total_seconds() + REST


@pytest.mark.parametrize("pod", pods(), ids=["chart", "kustomize"])
def test_a_pod_drains_for_five_seconds_and_is_given_the_time_to(pod):
    [drain] = [variable["value"] for variable in pod["containers"][0]["env"] if variable["name"] == DRAIN]
    assert drain == "5"
    assert pod["terminationGracePeriodSeconds"] >= needed(float(drain))


def test_the_shortest_time_that_the_chart_takes_suffices_for_the_drain_it_brings():
    [drain] = [variable["value"] for variable in pods()[0]["containers"][0]["env"] if variable["name"] == DRAIN]
    assert SCHEMA["properties"]["terminationGracePeriodSeconds"]["minimum"] >= needed(float(drain))
