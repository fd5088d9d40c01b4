"""How the bot gets into a cluster: a kubeconfig's context, or the service account of its own pod.

Decides which credentials are used and refuses those that would start a program or skip the certificate check without leave.
Loading and refreshing them is the official client's work. What is read with them is left to the callers.
"""

import os
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import Configuration
from kubernetes.config import ConfigException
from kubernetes.config.incluster_config import InClusterConfigLoader
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

from bot.config.stage import Cluster
from bot.domain.errors import UserError
from bot.workloads.fields import at, items, text

USUAL_PLACE = "~/.kube/config"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def configure(cluster: Cluster, *, account: Path = ACCOUNT) -> Configuration:
    """The client's configuration; made anew it reads token files again. UserError where it cannot be had."""
    configuration = Configuration()
    configuration.retries = False  # urllib3 would repeat 429 and 503 by itself, unseen
    if cluster.in_cluster:
        load_account(configuration, account)
    else:
        load_file(configuration, cluster)
    if cluster.insecure_skip_tls_verify:
        configuration.verify_ssl = False
    return configuration


def load_account(configuration: Configuration, account: Path) -> None:
    """The pod's own service account; its token is read from the file again every minute."""
    load: Any = InClusterConfigLoader
    try:
        load(token_filename=str(account / "token"), cert_filename=str(account / "ca.crt")).load_and_set(configuration)
    except ConfigException as error:
        raise UserError(
            f"The bot cannot use its pod's service account: {error}",
            where="cluster.in_cluster",
            fix="run the bot inside the cluster with a service account mounted, or name a kubeconfig",
        ) from None


def load_file(configuration: Configuration, cluster: Cluster) -> None:
    """A kubeconfig's context."""
    places = cluster.kubeconfig or os.environ.get("KUBECONFIG") or USUAL_PLACE
    here = "cluster.kubeconfig"
    merge: Any = KubeConfigMerger
    load: Any = KubeConfigLoader
    try:
        merger = merge(places)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ConfigException, AttributeError, TypeError) as error:
        raise UserError(f"The kubeconfig {places} cannot be read: {error}", where=here, fix="check its path and content") from None
    if merger.config is None:
        raise UserError(
            f"There is no kubeconfig at {places}", where=here, fix="name the file in cluster.kubeconfig (`rollout record`: --kubeconfig)"
        )
    forbid(list(merger.config_files.values()), places, cluster)
    try:
        load(config_dict=merger.config, active_context=cluster.context, config_base_path=None).load_and_set(configuration)
    except (ConfigException, KeyError, TypeError, ValueError, OSError) as error:
        named = cluster.context or "its current context"
        what = f"The kubeconfig {places} cannot be used with {named}: {error}"
        raise UserError(what, where="cluster.context", fix="kubectl config get-contexts lists them") from None


def forbid(files: list[Any], places: str, cluster: Cluster) -> None:
    """Refuses what a kubeconfig may not do without the operator's leave: start a program, or trust any certificate."""
    context = cluster.context or next((text(file, "current-context") for file in files if text(file, "current-context")), "")
    chosen = [entry for file in files for entry in items(file, "contexts") if text(entry, "name") == context]
    users = {text(entry, "context", "user") for entry in chosen}
    servers = {text(entry, "context", "cluster") for entry in chosen}
    for file in files:
        for entry in items(file, "users"):
            started = next((key for key in ("exec", "auth-provider") if at(entry, "user", key) is not None), None)
            if text(entry, "name") in users and started and not cluster.allow_exec:
                raise UserError(
                    f"The kubeconfig {places} would start a program to log in ({started} of its user); that is off",
                    where="cluster.allow_exec",
                    fix="set allow_exec: true if you trust that file, or use a token",
                )
        for entry in items(file, "clusters"):
            skips = bool(at(entry, "cluster", "insecure-skip-tls-verify"))
            if text(entry, "name") in servers and skips and not cluster.insecure_skip_tls_verify:
                raise UserError(
                    f"The kubeconfig {places} skips the check of the cluster's certificate; that is off",
                    where="cluster.insecure_skip_tls_verify",
                    fix="put the certificate authority into the kubeconfig, or set insecure_skip_tls_verify for an experiment",
                )
