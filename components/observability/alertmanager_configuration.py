"""What Alertmanager is told: who hears of which alert, and how."""

from __future__ import annotations

from typing import Any

from components.observability.rules import WATCHDOG
from components.observability.written import as_yaml
from settings.observability import AlertingSettings, MailSettings, ReceiverSettings

SECRETS = "/etc/alertmanager-secrets"
NOBODY = "nobody"
"""Receiver that has no way to be told: alerts are shown by Alertmanager and Grafana alone."""

GROUP_WAIT, GROUP_INTERVAL, REPEAT_INTERVAL = "30s", "5m", "1h"
"""How long alerts of one name wait for each other, for news, and until they are told again."""

WATCHDOG_INTERVAL = "5m"
"""How often whoever waits for the watchdog hears from it."""


def server_configuration(settings: AlertingSettings) -> str:
    """Write ``alertmanager.yml`` (https://prometheus.io/docs/alerting/latest/configuration/); it holds no secret."""
    document: dict[str, Any] = {
        **({"global": _mail(settings.mail)} if settings.mail else {}),
        "route": {
            "receiver": settings.warning or NOBODY,
            "group_by": ["alertname"],
            "group_wait": GROUP_WAIT,
            "group_interval": GROUP_INTERVAL,
            "repeat_interval": REPEAT_INTERVAL,
            "routes": [
                {
                    "matchers": [f'alertname = "{WATCHDOG}"'],
                    "receiver": settings.watchdog or NOBODY,
                    "group_wait": "0s",
                    "group_interval": WATCHDOG_INTERVAL,
                    "repeat_interval": WATCHDOG_INTERVAL,
                },
                {"matchers": ['severity = "none"'], "receiver": NOBODY},
                {"matchers": ['severity = "critical"'], "receiver": settings.critical or settings.warning or NOBODY},
            ],
        },
        "inhibit_rules": [
            # Whoever is called at night for something need not be told that it also gets worse slowly.
            {
                "source_matchers": ['severity = "critical"'],
                "target_matchers": ['severity = "warning"'],
                "equal": ["alertname", "namespace", "job"],
            },
            *(
                {
                    "source_matchers": [f'alertname =~ "{kind}BudgetBurn.*"', 'severity = "critical"'],
                    "target_matchers": [f'alertname =~ "{kind}BudgetBurn.*"', 'severity = "warning"'],
                    "equal": ["job"],
                }
                for kind in ("Availability", "Latency")
            ),
            # A job without any target has each of its targets down, too.
            {
                "source_matchers": ['alertname =~ ".+Missing"'],
                "target_matchers": ['alertname = "TargetDown"'],
                "equal": ["job"],
            },
        ],
        "receivers": [
            {"name": NOBODY},
            *(
                {"name": name, **_ways(name, receiver, is_watchdog=name == settings.watchdog)}
                for name, receiver in sorted(settings.receivers.items())
            ),
        ],
    }
    return as_yaml(document)


def _mail(mail: MailSettings) -> dict[str, Any]:
    signed_in = {"smtp_auth_username": mail.username, "smtp_auth_password_file": f"{SECRETS}/mail"}
    return {
        "smtp_smarthost": mail.server,
        "smtp_from": mail.sender,
        "smtp_require_tls": True,
        **(signed_in if mail.username else {}),
    }


def _ways(name: str, receiver: ReceiverSettings, *, is_watchdog: bool) -> dict[str, Any]:
    # The end of a watchdog is what its receiver finds out by itself.
    after = {"send_resolved": not is_watchdog}
    if receiver.webhook == "secret":
        return {"webhook_configs": [{"url_file": f"{SECRETS}/{name}", **after}]}
    if receiver.webhook:
        return {"webhook_configs": [{"url": receiver.webhook, **after}]}
    if receiver.slack:
        return {"slack_configs": [{"api_url_file": f"{SECRETS}/{name}", "channel": receiver.slack, **after}]}
    if receiver.pagerduty:
        return {"pagerduty_configs": [{"routing_key_file": f"{SECRETS}/{name}", **after}]}
    return {"email_configs": [{"to": receiver.email, **after}]}
