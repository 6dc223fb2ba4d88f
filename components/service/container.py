"""The app's container, as a task definition describes it."""

from __future__ import annotations

import pulumi

from components.service.args import EcsServiceArgs

CONTAINER = "app"
"""Name of the container, of its port, and of the service among those in the cluster's namespace."""

USER = "10001:10001"
"""User and group of the process, as in the image; not root (FSBP ECS.20)."""

LOG_BUFFER = "25m"
"""Log lines that wait, in bytes, while CloudWatch is slow; then the oldest are dropped and the app goes on."""


def container(args: EcsServiceArgs, log_group: pulumi.Input[str]) -> dict[str, object]:
    """Describe the container (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html).

    Lists are sorted: ECS returns them in any order, and a change of order alone would be a new revision.
    """
    settings = args.settings
    environment: dict[str, pulumi.Input[str]] = {
        **settings.environment,
        **args.environment,
        "APP_PORT": str(settings.port),
    }
    return {
        "name": CONTAINER,
        "image": args.image,
        "essential": True,
        "user": USER,
        "readonlyRootFilesystem": True,
        "privileged": False,
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "portMappings": [
            {
                "name": CONTAINER,
                "containerPort": settings.port,
                "hostPort": settings.port,
                "protocol": "tcp",
                "appProtocol": "http",
            }
        ],
        "environment": [{"name": key, "value": value} for key, value in sorted(environment.items())],
        "secrets": [
            {"name": key, "valueFrom": value.secret.json_key(value.key)} for key, value in sorted(args.secrets.items())
        ],
        "healthCheck": {
            "command": ["CMD", *settings.health_command],
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "startPeriod": settings.start_seconds,
        },
        "stopTimeout": settings.stop_seconds,
        "logConfiguration": {"logDriver": "awslogs", "options": log_options(args, log_group, CONTAINER)},
    }


def log_options(args: EcsServiceArgs, log_group: pulumi.Input[str], prefix: str) -> dict[str, pulumi.Input[str]]:
    """Send log lines to the group, and never let a slow CloudWatch stop the app."""
    return {
        "awslogs-group": log_group,
        "awslogs-region": args.account.region,
        "awslogs-stream-prefix": prefix,
        "mode": "non-blocking",
        "max-buffer-size": LOG_BUFFER,
    }
