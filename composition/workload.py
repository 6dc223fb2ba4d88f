"""What runs in the cluster, and who talks to whom there."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload import App, AppArgs, Endpoint, Flow, Foundation, FoundationArgs, Space
from components.workload.app import NAME as APP
from settings import PROJECT, AppSettings, ImageSettings

NAMESPACE = PROJECT
"""Namespace of the platform's workloads."""

EVERY_POD = Endpoint(NAMESPACE)
ANYWHERE = Endpoint(None, blocks=("0.0.0.0/0",))


def flows(app: AppSettings) -> list[Flow]:
    """List every connection that is wanted."""
    return [
        # Where names are resolved differs by cluster: pods, or the node itself.
        Flow("dns", EVERY_POD, ANYWHERE, (("UDP", 53), ("TCP", 53))),
        Flow("app", Endpoint("kube-system"), Endpoint(NAMESPACE, APP), (("TCP", app.port),)),
    ]


def run_workload(name: str, app: AppSettings, image: ImageSettings, provider: kubernetes.Provider) -> None:
    """Divide the cluster up, and run the app in it."""
    opts = pulumi.ResourceOptions(providers=[provider])
    copies = app.scaling.maximum
    foundation = Foundation(
        name,
        FoundationArgs(
            # Room for the most copies, and half as many again while they are replaced.
            spaces=[
                Space(
                    NAMESPACE,
                    cpu_millis=app.pod.cpu_request_millis * copies * 3 // 2 + 1000,
                    memory_mib=app.pod.memory_request_mib * copies * 3 // 2 + 1024,
                    pods=copies * 2 + 10,
                )
            ],
            flows=flows(app),
        ),
        opts,
    )
    made = App(
        name,
        AppArgs(
            app,
            namespace=foundation.namespaces[NAMESPACE],
            image=image.reference or "",
            priority_class=foundation.priority_classes["normal"],
        ),
        opts,
    )
    pulumi.export("app_service", made.service)
