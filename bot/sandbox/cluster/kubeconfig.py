"""The kubeconfig of one account of a cluster, as an object; JSON is YAML, so that it is written as JSON."""

import base64
from pathlib import Path

from bot.sandbox.cluster.resources import Obj


def document(name: str, url: str, ca_file: Path | None, account: str, token: str) -> Obj:
    """One cluster, one user, one context, all current. Holds the token: write it where only its owner reads."""
    cluster: Obj = {"server": url}
    if ca_file is not None:
        cluster["certificate-authority-data"] = base64.b64encode(ca_file.read_bytes()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": account, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": account}}],
        "current-context": name,
    }
