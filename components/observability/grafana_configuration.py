"""What Grafana finds when it starts: datasources, dashboards, and how it behaves."""

from __future__ import annotations

from typing import Any

from components.observability.dashboards import ALERTS, LOGS, METRICS
from components.observability.names import GRAFANA_PORT
from components.observability.written import as_yaml

PROVISIONING, DASHBOARDS, DATA, LOGIN = (
    "/etc/grafana-provisioning",
    "/etc/grafana-dashboards",
    "/var/lib/grafana",
    "/run/grafana-login",
)

ADMINISTRATOR = "admin"


def datasources(prometheus: str, loki: str, tenant: str, alertmanager: str) -> str:
    """Write the datasources (https://grafana.com/docs/grafana/latest/administration/provisioning/#data-sources).

    Args:
        prometheus: address of Prometheus.
        loki: address of Loki.
        tenant: as whom Loki is asked; it is no secret, network policies say who may ask.
        alertmanager: address of Alertmanager.
    """
    common = {"access": "proxy", "editable": False}
    listed: list[dict[str, Any]] = [
        {
            "name": "Prometheus",
            "type": METRICS.type_val,
            "uid": METRICS.uid,
            "url": prometheus,
            "isDefault": True,
            **common,
            "jsonData": {"timeInterval": "15s", "prometheusType": "Prometheus", "httpMethod": "POST"},
        },
        {
            "name": "Loki",
            "type": LOGS.type_val,
            "uid": LOGS.uid,
            "url": loki,
            **common,
            "jsonData": {"httpHeaderName1": "X-Scope-OrgID", "maxLines": 1000},
            "secureJsonData": {"httpHeaderValue1": tenant},
        },
        {
            "name": "Alertmanager",
            "type": ALERTS.type_val,
            "uid": ALERTS.uid,
            "url": alertmanager,
            **common,
            "jsonData": {"implementation": "prometheus"},
        },
    ]
    return as_yaml({"apiVersion": 1, "prune": True, "datasources": listed})


def dashboard_provider() -> str:
    """Say where dashboards are (https://grafana.com/docs/grafana/latest/administration/provisioning/#dashboards)."""
    provider = {
        "name": "platform",
        "folder": "Platform",
        "type": "file",
        "disableDeletion": True,
        "allowUiUpdates": False,
        "options": {"path": DASHBOARDS},
    }
    return as_yaml({"apiVersion": 1, "providers": [provider]})


def environment() -> dict[str, str]:
    """Return Grafana's options (https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/)."""
    options = {
        "PATHS_PROVISIONING": PROVISIONING,
        "PATHS_DATA": DATA,
        "SERVER_HTTP_PORT": str(GRAFANA_PORT),
        "SECURITY_ADMIN_USER": ADMINISTRATOR,
        "SECURITY_ADMIN_PASSWORD__FILE": f"{LOGIN}/password",
        "SECURITY_DISABLE_GRAVATAR": "true",
        "USERS_ALLOW_SIGN_UP": "false",
        "AUTH_ANONYMOUS_ENABLED": "false",
        "ANALYTICS_REPORTING_ENABLED": "false",
        "ANALYTICS_CHECK_FOR_UPDATES": "false",
        "ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        # Nothing leaves the namespace: what is not in the image is not there.
        "PLUGINS_PREINSTALL_DISABLED": "true",
        "NEWS_NEWS_FEED_ENABLED": "false",
        "LOG_MODE": "console",
        "LOG_CONSOLE_FORMAT": "json",
        "DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{DASHBOARDS}/overview.json",
    }
    return {f"GF_{name}": value for name, value in options.items()}
