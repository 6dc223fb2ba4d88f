"""The ECS cluster that runs containers without nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from settings.aws import LogRetentionDays
from settings.base import Problem, Settings


class FargateCapacity(Settings):
    """How tasks are shared between Fargate and Fargate Spot (a capacity provider strategy)."""

    on_demand_base: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Tasks that run on Fargate before the weights count."""

    on_demand_weight: Annotated[int, Field(ge=0, le=1000)] = 1
    """Share of further tasks on Fargate."""

    spot_weight: Annotated[int, Field(ge=0, le=1000)] = 0
    """Share of further tasks on Fargate Spot, which is cheaper and may be stopped with two minutes' notice."""

    def problems(self) -> Iterator[Problem]:
        if self.on_demand_weight + self.spot_weight == 0:
            yield Problem(
                "on_demand_weight", 0, "a weight above 0 for at least one of on_demand_weight and spot_weight"
            )


class EcsSettings(Settings):
    """The stack's ECS cluster."""

    container_insights: Literal["disabled", "enabled", "enhanced"] = "enhanced"
    """CloudWatch Container Insights: off, per cluster and service, or (enhanced) down to tasks and containers."""

    capacity: FargateCapacity = FargateCapacity()
    """Strategy of services that do not state their own."""

    exec_log_retention_days: LogRetentionDays = 365
    """Days that the audit log of interactive sessions (ECS Exec) is kept."""
