"""Work that is done once, in the course of a deployment."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.labels import labels
from components.workload.pods import Place, Pod

batch = kubernetes.batch.v1
meta = kubernetes.meta.v1


def job(
    resource: str,
    name: pulumi.Input[str],
    pod: Pod,
    place: Place,
    opts: pulumi.ResourceOptions,
    *,
    limit_seconds: int = 600,
) -> batch.Job:
    """Run a pod to its end; whoever depends on the result waits for that.

    A Job cannot be changed: `name` holds a digest of all that it works with, so that other work is another Job. It
    stays when it is done, or the next deployment would do it again. One that failed is made anew by the next deployment
    (https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/#pulumicomreplaceunready).

    Args:
        resource: name of the resource.
        name: name of the Job.
        pod: what runs; its last container ends with 0.
        place: where.
        opts: options of the resource.
        limit_seconds: seconds until it counts as failed, all attempts together.
    """
    return batch.Job(
        resource,
        metadata=meta.ObjectMetaArgs(
            name=name,
            namespace=place.namespace,
            labels=labels(pod.name),
            annotations={"pulumi.com/replaceUnready": "true"},
        ),
        spec=batch.JobSpecArgs(backoff_limit=5, active_deadline_seconds=limit_seconds, template=pod.template(place)),
        opts=opts,
    )
