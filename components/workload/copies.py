"""How the copies of a workload come and go."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.labels import selector
from components.workload.pods import Place, Pod, about

apps = kubernetes.apps.v1
meta = kubernetes.meta.v1
policy = kubernetes.policy.v1


@dataclass(frozen=True)
class Serving:
    """How copies that keep nothing serve.

    Attributes:
        copies: how many there are at the start.
        ready_seconds: seconds that a new copy must have been ready before the next old one goes.
        deadline_seconds: seconds without progress after which a rollout counts as failed.
    """

    copies: int
    ready_seconds: int | None = None
    deadline_seconds: int = 300


def serve(name: str, serving: Serving, pod: Pod, place: Place, opts: pulumi.ResourceOptions) -> apps.Deployment:
    """Run copies that keep nothing: one more is there before one less.

    Args:
        name: name of the resource.
        serving: how they serve.
        pod: what runs.
        place: where.
        opts: options of the resource.
    """
    pod = replace(pod, alone=serving.copies == 1)
    return apps.Deployment(
        name,
        metadata=about(pod.name, place),
        spec=apps.DeploymentSpecArgs(
            replicas=serving.copies,
            revision_history_limit=5,
            min_ready_seconds=serving.ready_seconds,
            progress_deadline_seconds=serving.deadline_seconds,
            selector=meta.LabelSelectorArgs(match_labels=selector(pod.name)),
            strategy=apps.DeploymentStrategyArgs(
                type="RollingUpdate",
                rolling_update=apps.RollingUpdateDeploymentArgs(max_unavailable=0, max_surge=1),
            ),
            template=pod.template(place),
        ),
        opts=opts,
    )


def run_on_every_node(name: str, pod: Pod, place: Place, opts: pulumi.ResourceOptions) -> apps.DaemonSet:
    """Run one copy on every node, a tenth of them anew at a time.

    Args:
        name: name of the resource.
        pod: what runs.
        place: where.
        opts: options of the resource.
    """
    return apps.DaemonSet(
        name,
        metadata=about(pod.name, place),
        spec=apps.DaemonSetSpecArgs(
            revision_history_limit=5,
            selector=meta.LabelSelectorArgs(match_labels=selector(pod.name)),
            update_strategy=apps.DaemonSetUpdateStrategyArgs(
                type="RollingUpdate", rolling_update=apps.RollingUpdateDaemonSetArgs(max_unavailable="10%")
            ),
            template=pod.template(place),
        ),
        opts=opts,
    )


def take_one_at_a_time(
    name: str, workload: str, place: Place, opts: pulumi.ResourceOptions, *, sick_ones_too: bool
) -> None:
    """Let nodes be emptied by one copy at a time: an only copy too may go, or no node could ever be emptied.

    Args:
        name: name of the resource.
        workload: the workload's name.
        place: where it runs.
        opts: options of the resource.
        sick_ones_too: whether a copy that is not ready may always go, since nothing is lost with it.
    """
    policy.PodDisruptionBudget(
        name,
        metadata=about(workload, place),
        spec=policy.PodDisruptionBudgetSpecArgs(
            max_unavailable=1,
            selector=meta.LabelSelectorArgs(match_labels=selector(workload)),
            unhealthy_pod_eviction_policy="AlwaysAllow" if sick_ones_too else None,
        ),
        opts=opts,
    )
