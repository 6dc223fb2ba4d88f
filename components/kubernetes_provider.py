"""The one place that makes providers of Kubernetes objects."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes


def kubernetes_provider(
    name: str,
    opts: pulumi.ResourceOptions,
    *,
    kubeconfig: pulumi.Input[str] | None = None,
    context: pulumi.Input[str] | None = None,
    delete_unreachable: bool | None = None,
) -> kubernetes.Provider:
    """Make the provider of everything in a cluster (decision 14).

    A changed ConfigMap or Secret is changed in place: by itself the provider would delete it and make it anew, and with
    it every workload that mounts it. A field that somebody changed by hand, such as the image that `kubectl rollout
    undo` brought back, becomes what the program says with the next deployment that changes the object; by itself the
    provider would refuse that deployment.

    Args:
        name: prefix of the resource's name.
        opts: options of the resource.
        kubeconfig: the kubeconfig, as JSON or YAML; None takes that of whoever deploys.
        context: the kubeconfig's context; None takes its current one.
        delete_unreachable: whether what is in a cluster that is gone is forgotten; None refuses to delete it.
    """
    return kubernetes.Provider(
        f"{name}-kubernetes",
        kubeconfig=kubeconfig,
        context=context,
        enable_server_side_apply=True,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        enable_patch_force=True,
        delete_unreachable=delete_unreachable,
        opts=opts,
    )
