"""How Flux is asked to look at git at once, instead of at its next interval.

Decides the patch only: the sources fetch, and the objects that apply them are asked too, as they may have failed before. Reading
the answer is left to the rules of each kind.
"""

from datetime import datetime

ASKED = frozenset({"GitRepository", "OCIRepository", "Kustomization", "HelmRelease"})
REQUESTED = "reconcile.fluxcd.io/requestedAt"


def look_again(now: datetime) -> dict[str, object]:
    """The merge-patch of a Flux object; any new value is a request."""
    return {"metadata": {"annotations": {REQUESTED: now.isoformat()}}}
