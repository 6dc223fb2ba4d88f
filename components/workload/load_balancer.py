"""The load balancer in the cluster."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.copies import Serving, serve, take_one_at_a_time
from components.workload.hardening import container_security
from components.workload.labels import selector
from components.workload.load_balancer_configuration import (
    CONFIGURATION,
    HEALTH_PORT,
    HTTP_PORT,
    HTTPS_PORT,
    RESOLVERS,
    RUN,
    TLS,
    server_configuration,
)
from components.workload.pods import (
    Place,
    Pod,
    about,
    account_of,
    digest,
    from_config_map,
    from_secret,
    host_of,
    probe,
    read_only,
    resources,
    scratch,
    writable,
)
from settings.load_balancer import LoadBalancerSettings

core = kubernetes.core.v1

NAME = "auterity-load-balancer"
"""Name of the Deployment and of all that belongs to it."""

USER = 101
"""User ``nginx`` in the image."""

DRAIN_SECONDS, STOP_SECONDS = 10, 90
"""Seconds that a copy serves on while nodes take it out, and until requests on their way are cut."""


@dataclass(frozen=True)
class ClusterLoadBalancerArgs:
    """What the load balancer needs to know.

    Attributes:
        settings: the stack's ``load_balancer`` section.
        place: where it runs.
        target: name of the workload that serves requests.
        target_port: its TCP port, plain HTTP.
    """

    settings: LoadBalancerSettings
    place: Place
    target: str
    target_port: int


class ClusterLoadBalancer(pulumi.ComponentResource):
    """nginx behind a Service of type LoadBalancer: a request goes to the copy of the gateway that has least to do."""

    host: pulumi.Output[str]
    """Host name inside the cluster."""

    address: pulumi.Output[str]
    """Address, or host name, outside of it; the URL that the settings give where ports of the nodes are open."""

    def __init__(self, name: str, args: ClusterLoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:ClusterLoadBalancer", name, None, opts)
        settings, place, own = args.settings, args.place, pulumi.ResourceOptions(parent=self)
        targets = core.Service(
            f"{name}-load-balancer-targets",
            metadata=about(NAME, place, "-targets"),
            spec=core.ServiceSpecArgs(
                cluster_ip="None",
                selector=selector(args.target),
                ports=[core.ServicePortArgs(name="http", port=args.target_port, target_port=args.target_port)],
            ),
            opts=own,
        )
        stated = pulumi.Output.all(targets.metadata.name, targets.metadata.namespace).apply(
            lambda names: server_configuration(
                settings, f"{names[0]}.{names[1]}.svc.{settings.cluster_domain}", args.target_port
            )
        )
        configuration = core.ConfigMap(
            f"{name}-load-balancer", metadata=about(NAME, place), data={"nginx.conf": stated}, opts=own
        )
        pod = Pod(
            NAME,
            user=USER,
            account=account_of(f"{name}-load-balancer", NAME, place, own),
            init=[self._resolvers()],
            containers=[self._nginx(settings)],
            volumes=[
                from_config_map("configuration", configuration),
                scratch("run", 256),
                *([from_secret("tls", settings.tls_secret)] if settings.tls_secret else []),
            ],
            configured_by={"configuration": stated.apply(digest)},
            stop_seconds=STOP_SECONDS,
            spread=True,
        )
        serve(f"{name}-load-balancer", Serving(settings.copies), pod, place, own)
        take_one_at_a_time(f"{name}-load-balancer", NAME, place, own, sick_ones_too=True)
        service = self._service(name, settings, place)
        self.host = host_of(service)
        node_port = settings.node_port
        self.address = pulumi.Output.from_input(node_port.url) if node_port else service.status.apply(address_of)
        self.register_outputs({"host": self.host, "address": self.address})

    def _service(self, name: str, settings: LoadBalancerSettings, place: Place) -> core.Service:
        opened = settings.node_port
        ports = [
            core.ServicePortArgs(name="http", port=80, target_port="http", node_port=opened.http if opened else None)
        ]
        if settings.tls_secret:
            ports.append(
                core.ServicePortArgs(
                    name="https", port=443, target_port="https", node_port=opened.https if opened else None
                )
            )
        ready = ".spec.clusterIP" if opened else ".status.loadBalancer.ingress"
        return core.Service(
            f"{name}-load-balancer",
            metadata=about(NAME, place, there_with=ready),
            spec=core.ServiceSpecArgs(
                type="NodePort" if opened else "LoadBalancer",
                # No second hop between nodes: it would hide who asks.
                external_traffic_policy="Local",
                # Ports of nodes are guarded by the network policy of the pods alone.
                load_balancer_source_ranges=None if opened else [str(block) for block in settings.source_ranges],
                # Every node port is one more way in.
                allocate_load_balancer_node_ports=None if opened else False,
                selector=selector(NAME),
                ports=ports,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _resolvers(self) -> core.ContainerArgs:
        """Tell nginx who resolves names in this cluster; it does not read what every other program reads."""
        script = (
            'awk \'$1 == "nameserver" {print "resolver " ($2 ~ /:/ ? "[" $2 "]" : $2) " valid=5s;"; exit}\''
            f" /etc/resolv.conf > {RESOLVERS} && test -s {RESOLVERS}"
        )
        return core.ContainerArgs(
            name="resolvers",
            image=image("nginx"),
            command=["sh", "-ec", script],
            resources=resources(10, 16),
            security_context=container_security(),
            volume_mounts=[writable("run", RUN)],
        )

    def _nginx(self, settings: LoadBalancerSettings) -> core.ContainerArgs:
        well = core.HTTPGetActionArgs(path="/healthz", port="health")
        ports = [
            core.ContainerPortArgs(name="http", container_port=HTTP_PORT),
            core.ContainerPortArgs(name="health", container_port=HEALTH_PORT),
        ]
        mounts = [read_only("configuration", CONFIGURATION), writable("run", RUN)]
        if settings.tls_secret:
            ports.append(core.ContainerPortArgs(name="https", container_port=HTTPS_PORT))
            mounts.append(read_only("tls", TLS))
        return core.ContainerArgs(
            name="nginx",
            image=image("nginx"),
            command=["nginx", "-c", f"{CONFIGURATION}/nginx.conf", "-g", "daemon off;"],
            ports=ports,
            resources=resources(100, 128),
            startup_probe=probe(well, 1, 30),
            readiness_probe=probe(well, 5, 2),
            liveness_probe=probe(well, 10, 3),
            lifecycle=core.LifecycleArgs(
                pre_stop=core.LifecycleHandlerArgs(sleep=core.SleepActionArgs(seconds=DRAIN_SECONDS))
            ),
            security_context=container_security(),
            volume_mounts=mounts,
        )


def address_of(status: core.outputs.ServiceStatus | None) -> str:
    """Return where a Service is reached from outside; empty where nobody has given it an address."""
    balancer = status.load_balancer if status else None
    found = balancer.ingress[0] if balancer and balancer.ingress else None
    return (found.ip or found.hostname or "") if found else ""
