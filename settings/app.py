"""The application: its container, how many run, and which runtime serves how much."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from settings.aws import LogRetentionDays
from settings.base import NUMBER, Problem, Settings, at_least_in_production

FARGATE_MEMORY_MIB = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""CPU units of a Fargate task to the memory in MiB that it may have (ECS developer guide, 'Task CPU and memory')."""

EnvironmentName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
_SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|PRIVATE_KEY|API_KEY|CREDENTIAL")


class Runtimes(Settings):
    """How requests are shared between the runtimes that can serve them, in per cent."""

    kubernetes: Annotated[int, Field(ge=0, le=100)] = 0
    """Share of the Kubernetes cluster."""

    ecs: Annotated[int, Field(ge=0, le=100)] = 100
    """Share of the ECS service."""

    def problems(self) -> Iterator[Problem]:
        if self.kubernetes + self.ecs != 100:
            yield Problem("", self.model_dump(), "shares that sum to 100")


class AppScaling(Settings):
    """How many copies of the app run as its load changes."""

    minimum: Annotated[
        int, Field(ge=1, le=1000), at_least_in_production(2, "one copy alone cannot be replaced without a gap")
    ] = 2
    """Fewest copies."""

    maximum: Annotated[int, Field(ge=1, le=1000)] = 10
    """Most copies."""

    cpu_percent: Annotated[int, Field(ge=10, le=90)] = 80
    """CPU use, in per cent of what is reserved, that scaling aims at."""

    requests_per_copy: Annotated[int, Field(ge=1)] | None = None
    """Requests per minute and copy that scaling on ECS aims at as well; unset: CPU alone decides."""

    scale_out_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    """Seconds after more copies were started before still more are."""

    scale_in_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    """Seconds of low load before copies are stopped."""

    def problems(self) -> Iterator[Problem]:
        if self.minimum > self.maximum:
            yield Problem("minimum", self.minimum, f"at most maximum ({self.maximum})")


class PodResources(Settings):
    """What a pod of the app is given on Kubernetes."""

    cpu_request_millis: Annotated[int, Field(ge=10, le=64_000)] = 1000
    """CPU that is kept free for a pod, in milli-CPU; scaling counts in per cent of it."""

    cpu_limit_millis: Annotated[int, Field(ge=10, le=64_000)] = 2000
    """CPU that a pod may use where some is left, in milli-CPU."""

    memory_request_mib: Annotated[int, Field(ge=16, le=1_048_576)] = 2048
    """Memory that is kept free for a pod, in MiB."""

    memory_limit_mib: Annotated[int, Field(ge=16, le=1_048_576)] = 4096
    """Memory at which a pod is killed, in MiB."""

    def problems(self) -> Iterator[Problem]:
        for limit, request in (
            ("cpu_limit_millis", "cpu_request_millis"),
            ("memory_limit_mib", "memory_request_mib"),
        ):
            if getattr(self, limit) < getattr(self, request):
                yield Problem(limit, getattr(self, limit), f"at least {request} ({getattr(self, request)})")


class AppSettings(Settings):
    """The application's containers. What its image is stands in the section `image`."""

    copies: Annotated[int, Field(ge=1, le=1000)] = 4
    """Copies that are started; from then on `scaling` decides."""

    scaling: AppScaling = AppScaling()
    """How many run as the load changes."""

    port: Annotated[int, Field(ge=1024, le=65535)] = 8000
    """TCP port on which the app serves plain HTTP."""

    cpu_units: Annotated[Literal[256, 512, 1024, 2048, 4096, 8192, 16384], NUMBER] = 2048
    """CPU of a task on Fargate, in units of 1/1024 vCPU."""

    memory_mib: Annotated[int, Field(ge=512, le=122_880)] = 4096
    """Memory of a task on Fargate in MiB; which amounts are possible depends on `cpu_units`."""

    pod: PodResources = PodResources()
    """CPU and memory of a pod on Kubernetes."""

    architecture: Literal["X86_64", "ARM64"] = "X86_64"
    """Processor that the image was built for."""

    health_path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$")] = "/healthz"
    """Path that answers 200 while the process lives, without asking any other service."""

    health_command: tuple[str, ...] = ("python", "-m", "orders.healthcheck")
    """Program and arguments that end with 0 while the app is healthy, run inside its container; ECS does not read the
    image's own health check.
    """

    start_seconds: Annotated[int, Field(ge=0, le=300)] = 60
    """Seconds after its start during which a failing health check does not count."""

    ready_path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$")] = "/readyz"
    """Path that answers 200 while the app can serve requests, its stores included."""

    stop_seconds: Annotated[int, Field(ge=2, le=120)] = 30
    """Seconds between the request to stop and the kill; longer than the app takes to drain and shut down."""

    database_ca_file: Annotated[str, Field(pattern=r"^/.+")] = "/etc/ssl/rds/global-bundle.pem"
    """Path in the image of the certificate authorities that sign RDS's certificates."""

    environment: dict[EnvironmentName, str] = {}
    """Further environment variables; no secrets, which this file and the state would show."""

    log_retention_days: LogRetentionDays = 90
    """Days that CloudWatch keeps the app's logs."""

    rollback_error_percent: Annotated[int, Field(ge=1, le=100)] = 5
    """Share of requests answered with 5xx, in per cent, at which a deployment is rolled back."""

    rollback_latency_ms: Annotated[int, Field(ge=1, le=600_000)] = 2000
    """99th percentile of the response time, in milliseconds, at which a deployment is rolled back."""

    def problems(self) -> Iterator[Problem]:
        possible = FARGATE_MEMORY_MIB[self.cpu_units]
        if self.memory_mib not in possible:
            step = possible[1] - possible[0]
            yield Problem(
                "memory_mib",
                self.memory_mib,
                f"{possible[0]} to {possible[-1]} in steps of {step}, beside cpu_units {self.cpu_units}"
                if self.cpu_units != 256
                else "512, 1024 or 2048, beside cpu_units 256",
            )
        if not self.scaling.minimum <= self.copies <= self.scaling.maximum:
            yield Problem(
                "copies", self.copies, f"scaling.minimum ({self.scaling.minimum}) to .maximum ({self.scaling.maximum})"
            )
        if not self.health_command:
            yield Problem("health_command", [], "a program, and its arguments if it has any")
        for variable in sorted(self.environment):
            if _SECRET.search(variable):
                yield Problem(
                    f"environment.{variable}", "(not shown)", "variables that hold no secret; secrets go by reference"
                )
