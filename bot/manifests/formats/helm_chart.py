"""Chart.yaml and requirements.yaml: the versions of a chart's dependencies, and its appVersion. The chart's own version is not carried."""

from bot.domain.slot import Holds
from bot.manifests.collecting import Collector
from bot.manifests.objects import at, items, text_at, top
from bot.manifests.shelf import YamlFormat

FILES = ("Chart.yaml", "Chart.yml", "requirements.yaml")


def collect(collector: Collector) -> None:
    """Dependencies by name, and the version of the application."""
    root = top(collector.document.root)
    for item in items(at(root, "dependencies")):
        chart, version = text_at(item, "name"), at(item, "version")
        if chart and version is not None:
            collector.version(version, artifact=chart, key=f"dependencies/{text_at(item, 'alias') or chart}", holds=Holds.CHART)
    app_version, name = at(root, "appVersion"), text_at(root, "name")
    if app_version is not None and name:
        collector.version(app_version, artifact=name, key="appVersion", holds=Holds.VALUE)


FORMAT = YamlFormat(
    name="helm-chart",
    order=10,
    needles=(b"dependencies", b"appVersion"),
    claims=lambda _: True,
    named=lambda path: path.rsplit("/", 1)[-1] in FILES,
    collect=collect,
)
