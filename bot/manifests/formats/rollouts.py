"""Argo Rollouts: the pod template of a Rollout, and the images of analysis and experiment jobs."""

from bot.manifests.formats import kubernetes
from bot.manifests.objects import is_kind
from bot.manifests.shelf import YamlFormat

KINDS = ("Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate", "Experiment", "AnalysisRun")

FORMAT = YamlFormat(
    name="argo-rollouts",
    order=30,
    needles=(b"mage",),
    claims=lambda collector: is_kind(collector.document.root, "argoproj.io", *KINDS),
    collect=kubernetes.collect,
)
