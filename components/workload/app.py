"""The app in the cluster."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.hardening import container_security, pod_security
from components.workload.labels import labels, selector
from settings import AppSettings

apps = kubernetes.apps.v1
core = kubernetes.core.v1
meta = kubernetes.meta.v1
policy = kubernetes.policy.v1
scaling = kubernetes.autoscaling.v2

NAME = "auterity-app"
"""Name of the Deployment and of all that belongs to it, as it always was."""

PORT_NAME = "http"
"""Name of the app's port; probes, Service and targets of Prometheus go by it."""

USER = 10001
"""User and group of the process, as in the image."""

LOGINS = "/run/secrets/auterity"
"""Directory of the logins, a directory for each."""

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"


@dataclass(frozen=True)
class AppArgs:
    """What the app needs to know.

    Attributes:
        settings: the stack's ``app`` section.
        namespace: where it runs.
        image: its image, with an exact tag or a digest.
        priority_class: name of its priority class.
        environment: environment variables that are no secret.
        logins: what a login is for, such as ``cache``, to the name of the Secret that holds it; its keys are files in
            ``/run/secrets/auterity/<what for>``.
    """

    settings: AppSettings
    namespace: pulumi.Input[str]
    image: pulumi.Input[str]
    priority_class: pulumi.Input[str]
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    logins: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class App(pulumi.ComponentResource):
    """The app's pods: unprivileged, spread over zones and nodes, scaled by load, and replaced without a gap."""

    service: pulumi.Output[str]
    """Host name of the app inside the cluster."""

    port: int
    """TCP port of the Service."""

    def __init__(self, name: str, args: AppArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:App", name, None, opts)
        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        about = meta.ObjectMetaArgs(name=NAME, namespace=args.namespace, labels=labels(NAME))
        account = core.ServiceAccount(f"{name}-app", metadata=about, automount_service_account_token=False, opts=own)
        configuration = core.ConfigMap(f"{name}-app", metadata=about, data=self._environment(args), opts=own)
        deployment = apps.Deployment(
            f"{name}-app",
            metadata=about,
            spec=apps.DeploymentSpecArgs(
                replicas=settings.copies,
                revision_history_limit=5,
                progress_deadline_seconds=300,
                selector=meta.LabelSelectorArgs(match_labels=selector(NAME)),
                strategy=apps.DeploymentStrategyArgs(
                    type="RollingUpdate",
                    rolling_update=apps.RollingUpdateDeploymentArgs(max_unavailable=0, max_surge=1),
                ),
                template=self._pod(args, account, configuration),
            ),
            # How many run is the autoscaler's from the first minute on.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["spec.replicas"]),
        )
        service = core.Service(
            f"{name}-app",
            metadata=about,
            spec=core.ServiceSpecArgs(
                type="ClusterIP",
                selector=selector(NAME),
                ports=[core.ServicePortArgs(name=PORT_NAME, port=settings.port, target_port=PORT_NAME)],
            ),
            opts=own,
        )
        self._scale(name, about, settings, deployment)
        policy.PodDisruptionBudget(
            f"{name}-app",
            metadata=about,
            spec=policy.PodDisruptionBudgetSpecArgs(
                # One at a time: of a single copy even that one, or no node could ever be emptied.
                max_unavailable=1,
                selector=meta.LabelSelectorArgs(match_labels=selector(NAME)),
                unhealthy_pod_eviction_policy="AlwaysAllow",
            ),
            opts=own,
        )
        self.service = pulumi.Output.concat(service.metadata.name, ".", service.metadata.namespace, ".svc")
        self.port = settings.port
        self.register_outputs({"service": self.service, "port": self.port})

    def _environment(self, args: AppArgs) -> dict[str, pulumi.Input[str]]:
        return {**args.settings.environment, **args.environment, "APP_PORT": str(args.settings.port)}

    def _pod(
        self, args: AppArgs, account: core.ServiceAccount, configuration: core.ConfigMap
    ) -> core.PodTemplateSpecArgs:
        settings, given = args.settings, args.settings.pod

        def probe(path: str, period: int, failures: int) -> core.ProbeArgs:
            asked = core.HTTPGetActionArgs(path=path, port=PORT_NAME)
            return core.ProbeArgs(http_get=asked, period_seconds=period, timeout_seconds=3, failure_threshold=failures)

        container = core.ContainerArgs(
            name="app",
            image=args.image,
            ports=[core.ContainerPortArgs(name=PORT_NAME, container_port=settings.port)],
            env_from=[
                core.EnvFromSourceArgs(config_map_ref=core.ConfigMapEnvSourceArgs(name=configuration.metadata.name))
            ],
            resources=core.ResourceRequirementsArgs(
                requests={"cpu": f"{given.cpu_request_millis}m", "memory": f"{given.memory_request_mib}Mi"},
                limits={"cpu": f"{given.cpu_limit_millis}m", "memory": f"{given.memory_limit_mib}Mi"},
            ),
            # Until the first success nothing else is asked; after that a slow answer is not a start.
            startup_probe=probe(settings.health_path, 2, max(1, settings.start_seconds // 2)),
            readiness_probe=probe(settings.ready_path, 5, 2),
            liveness_probe=probe(settings.health_path, 10, 3),
            security_context=container_security(),
            volume_mounts=[
                core.VolumeMountArgs(name=purpose, mount_path=f"{LOGINS}/{purpose}", read_only=True)
                for purpose in args.logins
            ],
        )
        # Pods read their environment once: another one needs others.
        digest = pulumi.Output.all(**self._environment(args)).apply(
            lambda values: hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
        )
        return core.PodTemplateSpecArgs(
            metadata=meta.ObjectMetaArgs(labels=labels(NAME), annotations={"auterity/configuration": digest}),
            spec=core.PodSpecArgs(
                service_account_name=account.metadata.name,
                automount_service_account_token=False,
                # A Service called redis would set REDIS_PORT.
                enable_service_links=False,
                priority_class_name=args.priority_class,
                termination_grace_period_seconds=settings.stop_seconds,
                security_context=pod_security(USER),
                topology_spread_constraints=[
                    core.TopologySpreadConstraintArgs(
                        max_skew=1,
                        topology_key=key,
                        # A zone that is down must not keep the others from taking over.
                        when_unsatisfiable="ScheduleAnyway",
                        label_selector=meta.LabelSelectorArgs(match_labels=selector(NAME)),
                        match_label_keys=["pod-template-hash"],
                    )
                    for key in (ZONE, HOST)
                ],
                containers=[container],
                volumes=[
                    core.VolumeArgs(name=purpose, secret=core.SecretVolumeSourceArgs(secret_name=secret))
                    for purpose, secret in args.logins.items()
                ],
            ),
        )

    def _scale(self, name: str, about: meta.ObjectMetaArgs, settings: AppSettings, deployment: apps.Deployment) -> None:
        bounds = settings.scaling
        cpu = scaling.MetricTargetArgs(type="Utilization", average_utilization=bounds.cpu_percent)
        scaling.HorizontalPodAutoscaler(
            f"{name}-app",
            metadata=about,
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
