"""The collectors of logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.observability.alloy_configuration import collector_configuration
from components.observability.names import ALLOY as NAME
from components.observability.names import ALLOY_PORT
from components.workload.copies import run_on_every_node
from components.workload.exporters import METRICS
from components.workload.hardening import container_security
from components.workload.pods import (
    TEMPORARY,
    Place,
    Pod,
    about,
    account_of,
    digest,
    from_config_map,
    probe,
    read_only,
    resources,
    scratch,
    writable,
)
from components.workload.rights import Right, may_within

core = kubernetes.core.v1

USER = 473
"""User ``alloy`` in the image."""

CONFIGURATION, DATA = "/etc/alloy", "/data"

MEMORY_MIB = 256
"""Memory of a collector in MiB."""

READS = (Right("", ("pods",), ("get", "list", "watch")), Right("", ("pods/log",), ("get",)))
"""What it may ask about a namespace: its pods, and what they say."""


@dataclass(frozen=True)
class CollectorArgs:
    """What the collectors need to know.

    Attributes:
        place: where they run.
        namespaces: namespaces whose pods they read: name to the same, known once it is there.
        push_url: address at which Loki takes lines.
        tenant: as whom.
    """

    place: Place
    namespaces: Mapping[str, pulumi.Input[str]]
    push_url: pulumi.Input[str]
    tenant: str


class Collector(pulumi.ComponentResource):
    """One Alloy on each node, which reads its pods' output by way of the API server: it needs nothing of the node."""

    workload: str
    """Name of the DaemonSet."""

    def __init__(self, name: str, args: CollectorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:observability:Collector", name, None, opts)
        place, own = args.place, pulumi.ResourceOptions(parent=self)
        stated = pulumi.Output.from_input(args.push_url).apply(
            lambda url: collector_configuration(list(args.namespaces), url, args.tenant)
        )
        configuration = core.ConfigMap(
            f"{name}-alloy", metadata=about(NAME, place), data={"config.alloy": stated}, opts=own
        )
        account = account_of(f"{name}-alloy", NAME, place, own)
        for called, namespace in args.namespaces.items():
            may_within(f"{name}-alloy-{called}", NAME, place, namespace, READS, own)
        node = core.EnvVarArgs(
            name="NODE_NAME",
            value_from=core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path="spec.nodeName")),
        )
        ready = core.HTTPGetActionArgs(path="/-/ready", port=METRICS)
        server = core.ContainerArgs(
            name="alloy",
            image=image("alloy"),
            args=[
                "run",
                f"{CONFIGURATION}/config.alloy",
                f"--storage.path={DATA}",
                f"--server.http.listen-addr=0.0.0.0:{ALLOY_PORT}",
                "--disable-reporting",
            ],
            env=[node],
            ports=[core.ContainerPortArgs(name=METRICS, container_port=ALLOY_PORT)],
            resources=resources(50, MEMORY_MIB),
            readiness_probe=probe(ready, 5, 3),
            liveness_probe=probe(core.TCPSocketActionArgs(port=METRICS), 15, 4),
            security_context=container_security(),
            volume_mounts=[
                read_only("configuration", CONFIGURATION),
                writable("data", DATA),
                writable("data", TEMPORARY),
            ],
        )
        pod = Pod(
            NAME,
            user=USER,
            account=account,
            containers=[server],
            # How far it has read; after a restart on another volume Loki drops what it has already.
            volumes=[from_config_map("configuration", configuration), scratch("data", 256)],
            configured_by={"configuration": stated.apply(digest)},
            token=True,
            everywhere=True,
        )
        run_on_every_node(f"{name}-alloy", pod, place, own)
        self.workload = NAME
        self.register_outputs({"workload": self.workload})
