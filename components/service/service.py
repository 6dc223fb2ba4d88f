"""The app as a service on ECS."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.iam import Statement, role_with, service_trust
from components.secrets import may_read
from components.security_group import let_out
from components.service.args import EcsServiceArgs
from components.service.container import CONTAINER, container, log_options
from components.service.rollback import rollback_alarms
from components.service.scaling import scale


class EcsService(pulumi.ComponentResource):
    """The app's tasks on Fargate: unprivileged, scaled by load, and rolled back when a deployment does not work."""

    service_name: pulumi.Output[str]
    """Name of the service, the ``ServiceName`` of its metrics."""

    task_definition_arn: pulumi.Output[str]
    """ARN of the task definition with its revision."""

    task_role_arn: pulumi.Output[str]
    """Role that the app itself has."""

    execution_role_arn: pulumi.Output[str]
    """Role by which ECS pulls the image, reads the secrets and writes the logs."""

    log_group_name: pulumi.Output[str]
    """Log group of the app."""

    def __init__(self, name: str, args: EcsServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:ecs:EcsService", name, None, opts)
        settings = args.settings
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-app",
            name=f"/auterity/{name}/app",
            retention_in_days=settings.log_retention_days,
            kms_key_id=args.log_key_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        execution_role_arn = self._execution_role(name, args, log_group)
        task_role_arn = self._role(name, "task", "What the platform's app may do in AWS", args, args.permissions)
        task = aws.ecs.TaskDefinition(
            f"{name}-app",
            family=f"{name}-app",
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(settings.cpu_units),
            memory=str(settings.memory_mib),
            runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
                operating_system_family="LINUX", cpu_architecture=settings.architecture
            ),
            execution_role_arn=execution_role_arn,
            task_role_arn=task_role_arn,
            container_definitions=pulumi.Output.json_dumps([container(args, log_group.name)]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        service = self._service(name, args, task, log_group)
        scale(name, settings.scaling, args.cluster.name, service, args.served_by, self)

        self.service_name = service.name
        self.task_definition_arn = task.arn
        self.task_role_arn = task_role_arn
        self.execution_role_arn = execution_role_arn
        self.log_group_name = log_group.name
        self.register_outputs(
            {
                "service_name": self.service_name,
                "task_definition_arn": self.task_definition_arn,
                "task_role_arn": self.task_role_arn,
                "execution_role_arn": self.execution_role_arn,
                "log_group_name": self.log_group_name,
            }
        )

    def _service(
        self, name: str, args: EcsServiceArgs, task: aws.ecs.TaskDefinition, log_group: aws.cloudwatch.LogGroup
    ) -> aws.ecs.Service:
        settings, served_by = args.settings, args.served_by
        alarms = rollback_alarms(name, settings, served_by, args.alarm_topic_arn, self) if served_by else []
        service = aws.ecs.Service(
            f"{name}-app",
            cluster=args.cluster.arn,
            task_definition=task.arn,
            desired_count=settings.copies,
            capacity_provider_strategies=[
                aws.ecs.ServiceCapacityProviderStrategyArgs(
                    capacity_provider=share.provider, base=share.base, weight=share.weight
                )
                for share in args.cluster.capacity
            ],
            platform_version="LATEST",
            availability_zone_rebalancing="ENABLED",
            network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
                subnets=list(args.subnet_ids.values()),
                security_groups=[args.security_group_id],
                assign_public_ip=False,
            ),
            load_balancers=[
                aws.ecs.ServiceLoadBalancerArgs(
                    target_group_arn=served_by.target_group_arn,
                    container_name=CONTAINER,
                    container_port=settings.port,
                )
            ]
            if served_by
            else None,
            health_check_grace_period_seconds=settings.start_seconds if served_by else None,
            service_connect_configuration=aws.ecs.ServiceServiceConnectConfigurationArgs(
                enabled=True,
                namespace=args.cluster.namespace_arn,
                services=[
                    aws.ecs.ServiceServiceConnectConfigurationServiceArgs(
                        port_name=CONTAINER,
                        client_alias=[
                            aws.ecs.ServiceServiceConnectConfigurationServiceClientAliasArgs(
                                dns_name=CONTAINER, port=settings.port
                            )
                        ],
                        # The load balancer's requests pass its proxy, too, which by itself ends each after 15 s, and an
                        # idle connection after 300 s (ECS API, TimeoutConfiguration). How long is the edge's matter.
                        timeout=aws.ecs.ServiceServiceConnectConfigurationServiceTimeoutArgs(
                            idle_timeout_seconds=args.idle_timeout_seconds + 60, per_request_timeout_seconds=0
                        ),
                    )
                ],
                log_configuration=aws.ecs.ServiceServiceConnectConfigurationLogConfigurationArgs(
                    log_driver="awslogs", options=log_options(args, log_group.name, "service-connect")
                ),
            ),
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            alarms=aws.ecs.ServiceAlarmsArgs(enable=True, rollback=True, alarm_names=[alarm.name for alarm in alarms])
            if alarms
            else None,
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            wait_for_steady_state=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                # How many run is the autoscaler's from the first minute on.
                ignore_changes=["desiredCount"],
                # Tasks that cannot reach a store, or a registry, fail their first deployment; and only what the cluster
                # has can be in a strategy, or leave it before nothing uses it any more.
                depends_on=[*self._ways_out(name, args), *args.after, args.cluster],
            ),
        )
        # A deployment that was rolled back ends in a steady state too, and the provider calls that a success
        # (https://github.com/hashicorp/terraform-provider-aws/issues/20858).
        pulumi.Output.all(task.arn, service.task_definition).apply(lambda arns: expect_deployed(name, *arns))
        return service

    def _ways_out(self, name: str, args: EcsServiceArgs) -> list[pulumi.Resource]:
        return [
            let_out(
                f"{name}-app-to-{destination}",
                args.security_group_id,
                target.security_group_id,
                target.port,
                f"App to {destination}",
                pulumi.ResourceOptions(parent=self),
            )
            for destination, target in args.destinations.items()
        ]

    def _execution_role(
        self, name: str, args: EcsServiceArgs, log_group: aws.cloudwatch.LogGroup
    ) -> pulumi.Output[str]:
        statements = [
            Statement(
                sid="WriteLogs",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[pulumi.Output.concat(log_group.arn, ":*")],
            ),
            *may_read(args.account, *dict.fromkeys(s.secret for s in args.secrets.values())),
        ]
        if args.repository_arn is not None:
            statements += [
                # The one ECR action that knows no resource.
                Statement(sid="SignInToRegistry", actions=["ecr:GetAuthorizationToken"], resources=["*"]),
                Statement(
                    sid="PullImage",
                    actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                    resources=[args.repository_arn],
                ),
            ]
        return self._role(name, "execution", "Starts the tasks of the platform's app", args, statements)

    def _role(
        self, name: str, purpose: str, description: str, args: EcsServiceArgs, statements: Sequence[Statement]
    ) -> pulumi.Output[str]:
        """Make a role for tasks of this account and Region."""
        trust = service_trust("ecs-tasks.amazonaws.com", args.account.account_id, args.account.arn("ecs", "*"))
        return role_with(f"{name}-app-{purpose}", description, trust, statements, self)


def expect_deployed(name: str, wanted: str, running: str) -> None:
    """Fail the update when the service went back to what it ran before.

    Raises:
        pulumi.RunError: the service does not run the revision that was deployed.
    """
    if running != wanted:
        raise pulumi.RunError(
            f"{name}: the deployment of the app was rolled back: wanted {wanted}, running {running}. Its tasks did not"
            " become healthy or its alarms fired; the service's events and the app's logs say why."
        )
