"""A cluster per stage that speaks the Kubernetes API, with workloads that roll out over time and a GitOps agent.

`ClusterSandbox` is the whole of it. It knows nothing of the bot: what the bot concludes about a cluster can be
checked against `ClusterSandbox.running`.
"""

from bot.sandbox.cluster.readback import Running
from bot.sandbox.cluster.sandbox import ClusterSandbox
from bot.sandbox.cluster.source import Source

__all__ = ["ClusterSandbox", "Running", "Source"]
