"""What watches the platform: metrics, alerts, logs and dashboards."""

from components.observability.observability import Authority, Observability, ObservabilityArgs
from components.observability.tasks import WatchedTasks, WatchedTasksArgs

__all__ = ["Authority", "Observability", "ObservabilityArgs", "WatchedTasks", "WatchedTasksArgs"]
