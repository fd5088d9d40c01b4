"""How Argo CD is asked to look at git at once, instead of at its next poll.

Decides the patch only: a normal refresh compares again, and automated sync does the rest. A hard refresh would throw its
manifest cache away for everybody. Reading its answer is left to the rules for an Application.
"""

ASKED = frozenset({"Application"})
REFRESH = "argocd.argoproj.io/refresh"


def look_again() -> dict[str, object]:
    """The merge-patch of an Application; Argo CD takes the annotation away when it has looked."""
    return {"metadata": {"annotations": {REFRESH: "normal"}}}
