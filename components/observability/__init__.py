"""What watches the platform: metrics, alerts, logs and dashboards."""

from components.observability.observability import Authority, Observability, ObservabilityArgs

__all__ = ["Authority", "Observability", "ObservabilityArgs"]
