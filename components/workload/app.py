"""The app in the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.copies import Serving, serve, take_one_at_a_time
from components.workload.hardening import container_security
from components.workload.labels import selector
from components.workload.pods import (
    Place,
    Pod,
    about,
    account_of,
    digest,
    environment_of,
    host_of,
    probe,
    read_only,
)
from settings import AppSettings

apps = kubernetes.apps.v1
core = kubernetes.core.v1
meta = kubernetes.meta.v1
scaling = kubernetes.autoscaling.v2

NAME = "auterity-app"
"""Name of the Deployment and of all that belongs to it, as it always was."""

PORT_NAME = "http"
"""Name of the app's port; probes, Service and targets of Prometheus go by it."""

USER = 10001
"""User and group of the process, as in the image."""

DRAIN_SECONDS = 5
"""Seconds that a pod serves on before it is asked to stop: as long as nodes take to send it nothing more."""

LOGINS = "/run/secrets/auterity"
"""Directory of the logins, a directory for each."""


@dataclass(frozen=True)
class AppArgs:
    """What the app needs to know.

    Attributes:
        settings: the stack's ``app`` section.
        place: where it runs.
        image: its image, with an exact tag or a digest.
        environment: environment variables that are no secret.
        logins: what a login is for, such as ``cache``, to the volume that holds it; its files are in
            ``/run/secrets/auterity/<what for>``.
        usernames: environment variables that say who signs in with a login: they stand in the pod itself, since a
            ConfigMap would change under those pods that still have the login before.
        after: what must stand before the first pod starts, and no value carries: the app's rights in AWS.
    """

    settings: AppSettings
    place: Place
    image: pulumi.Input[str]
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    logins: Mapping[str, core.VolumeArgs] = field(default_factory=dict)
    usernames: Mapping[str, str] = field(default_factory=dict)
    after: Sequence[pulumi.Resource] = ()


class App(pulumi.ComponentResource):
    """The app's pods: unprivileged, spread over zones and nodes, scaled by load, and replaced without a gap."""

    service: pulumi.Output[str]
    """Host name of the app inside the cluster."""

    port: int
    """TCP port of the Service."""

    def __init__(self, name: str, args: AppArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:App", name, None, opts)
        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        named = about(NAME, args.place)
        account = account_of(f"{name}-app", NAME, args.place, own)
        configuration = core.ConfigMap(f"{name}-app", metadata=named, data=self._environment(args), opts=own)
        # How many run is the autoscaler's from the first minute on.
        scaled = pulumi.ResourceOptions(parent=self, depends_on=list(args.after), ignore_changes=["spec.replicas"])
        pod = self._pod(args, account, configuration)
        deployment = serve(f"{name}-app", Serving(settings.copies), pod, args.place, scaled)
        service = core.Service(
            f"{name}-app",
            metadata=about(NAME, args.place, there_with=".spec.clusterIP"),
            spec=core.ServiceSpecArgs(
                type="ClusterIP",
                selector=selector(NAME),
                ports=[core.ServicePortArgs(name=PORT_NAME, port=settings.port, target_port=PORT_NAME)],
            ),
            opts=own,
        )
        self._scale(name, named, settings, deployment)
        take_one_at_a_time(f"{name}-app", NAME, args.place, own, sick_ones_too=True)
        self.service = host_of(service)
        self.port = settings.port
        self.register_outputs({"service": self.service, "port": self.port})

    def _environment(self, args: AppArgs) -> dict[str, pulumi.Input[str]]:
        return {**args.settings.environment, **args.environment, "APP_PORT": str(args.settings.port)}

    def _pod(self, args: AppArgs, account: pulumi.Input[str], configuration: core.ConfigMap) -> Pod:
        settings, given = args.settings, args.settings.pod

        def answers(path: str) -> core.HTTPGetActionArgs:
            return core.HTTPGetActionArgs(path=path, port=PORT_NAME)

        container = core.ContainerArgs(
            name="app",
            image=args.image,
            ports=[core.ContainerPortArgs(name=PORT_NAME, container_port=settings.port)],
            env_from=[
                core.EnvFromSourceArgs(config_map_ref=core.ConfigMapEnvSourceArgs(name=configuration.metadata.name))
            ],
            env=environment_of(args.usernames) or None,
            resources=core.ResourceRequirementsArgs(
                requests={"cpu": f"{given.cpu_request_millis}m", "memory": f"{given.memory_request_mib}Mi"},
                limits={"cpu": f"{given.cpu_limit_millis}m", "memory": f"{given.memory_limit_mib}Mi"},
            ),
            # Until the first success nothing else is asked; after that a slow answer is not a start.
            startup_probe=probe(answers(settings.health_path), 2, max(1, settings.start_seconds // 2)),
            readiness_probe=probe(answers(settings.ready_path), 5, 2),
            liveness_probe=probe(answers(settings.health_path), 10, 3),
            lifecycle=core.LifecycleArgs(
                pre_stop=core.LifecycleHandlerArgs(sleep=core.SleepActionArgs(seconds=DRAIN_SECONDS))
            ),
            security_context=container_security(),
            volume_mounts=[read_only(volume.name, f"{LOGINS}/{purpose}") for purpose, volume in args.logins.items()],
        )
        return Pod(
            NAME,
            user=USER,
            account=account,
            containers=[container],
            volumes=list(args.logins.values()),
            # The environment is read once, at the start.
            configured_by={
                "configuration": pulumi.Output.json_dumps(self._environment(args), sort_keys=True).apply(digest)
            },
            stop_seconds=DRAIN_SECONDS + settings.stop_seconds,
            spread=True,
        )

    def _scale(self, name: str, named: meta.ObjectMetaArgs, settings: AppSettings, deployment: apps.Deployment) -> None:
        bounds = settings.scaling
        cpu = scaling.MetricTargetArgs(type="Utilization", average_utilization=bounds.cpu_percent)
        scaling.HorizontalPodAutoscaler(
            f"{name}-app",
            metadata=named,
            spec=scaling.HorizontalPodAutoscalerSpecArgs(
                scale_target_ref=scaling.CrossVersionObjectReferenceArgs(
                    api_version="apps/v1", kind="Deployment", name=deployment.metadata.name
                ),
                min_replicas=bounds.minimum,
                max_replicas=bounds.maximum,
                metrics=[
                    scaling.MetricSpecArgs(
                        type="Resource", resource=scaling.ResourceMetricSourceArgs(name="cpu", target=cpu)
                    )
                ],
                behavior=scaling.HorizontalPodAutoscalerBehaviorArgs(
                    scale_up=scaling.HPAScalingRulesArgs(stabilization_window_seconds=bounds.scale_out_seconds),
                    scale_down=scaling.HPAScalingRulesArgs(stabilization_window_seconds=bounds.scale_in_seconds),
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
