"""From the files of a stage's repository to the objects that a GitOps agent would apply.

Reads plain manifests, kustomizations, Helm values and charts, Flux and Argo CD objects. Knows nothing of the bot and
nothing of the cluster's state. A file that cannot be read is a problem in the answer, never an exception.
"""

from bot.sandbox.cluster.render.tree import Item, Rendered, render

__all__ = ["Item", "Rendered", "render"]
