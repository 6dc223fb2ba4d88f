"""What Kong is told: how it runs, and what it does with requests."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from settings.gateway import GatewaySettings

PROXY_PORT, PROXY_TLS_PORT = 8000, 8443
"""TCP ports of requests, as documented."""

ADMIN_PORT, ADMIN_TLS_PORT = 8001, 8444
"""TCP ports of the admin API, as documented, but on the loopback address alone: it has no sign-in of its own."""

STATUS_PORT = 8100
"""TCP port of health and figures; it changes nothing."""

ALIVE = "/alive"
"""Path at which nginx itself answers. Kong's own ``/status`` and ``/status/ready`` connect to the database each time: a
fail-over would take every copy out, and then kill it. Nginx answers at all only once Kong has loaded routes and plugins
(``init_by_lua``, ``init_worker_by_lua``).
"""

STATUS = f"""\
location = {ALIVE} {{
    access_log off;
    return 200;
}}
"""
"""What is included in the server of `STATUS_PORT`."""

PREFIX = "/run/kong"
"""Directory of what Kong writes while it runs."""

BODIES = "/run/bodies"
"""Directory of bodies that are read before they are passed on."""

TAG = "auterity"
"""Mark of all that the file below holds: what bears it and is not in the file any more is removed."""

CLIENT_SECONDS = 75
"""Seconds that a client's idle connection is kept: longer than the load balancer keeps its own, 60."""


def environment(settings: GatewaySettings) -> Mapping[str, str]:
    """Configure a running gateway (https://developer.konghq.com/gateway/configuration/)."""
    return {
        "KONG_PROXY_LISTEN": f"0.0.0.0:{PROXY_PORT} reuseport, 0.0.0.0:{PROXY_TLS_PORT} http2 ssl reuseport",
        **administration(),
        "KONG_STATUS_LISTEN": f"0.0.0.0:{STATUS_PORT}",
        "KONG_PROXY_ACCESS_LOG": "/dev/stdout",
        "KONG_PROXY_ERROR_LOG": "/dev/stderr",
        "KONG_REAL_IP_HEADER": "X-Forwarded-For",
        "KONG_REAL_IP_RECURSIVE": "on",
        "KONG_TRUSTED_IPS": ",".join(map(str, settings.trusted_proxies)),
        # The release that runs is nobody's business.
        "KONG_HEADERS": "off",
        "KONG_NGINX_WORKER_PROCESSES": str(max(1, settings.cpu_request_millis // 1000)),
        "KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE": f"{settings.body_limit_mib}m",
        # Bodies in files would fill the pod's own room, for which the kubelet evicts it: those of responses stay in
        # memory, those of requests go through (`declaration`). What a plugin reads before, a chunked one, is put into
        # memory of a bounded size: the upload that finds no room there fails, and nothing else.
        "KONG_NGINX_PROXY_PROXY_MAX_TEMP_FILE_SIZE": "0",
        "KONG_NGINX_HTTP_CLIENT_BODY_TEMP_PATH": BODIES,
        "KONG_NGINX_PROXY_KEEPALIVE_TIMEOUT": f"{CLIENT_SECONDS}s",
    }


def administration() -> Mapping[str, str]:
    """Configure the admin API, wherever one runs."""
    return {
        "KONG_ADMIN_LISTEN": f"127.0.0.1:{ADMIN_PORT}, 127.0.0.1:{ADMIN_TLS_PORT} ssl",
        "KONG_ADMIN_GUI_LISTEN": "off",
        "KONG_ADMIN_ACCESS_LOG": "/dev/stdout",
        "KONG_ADMIN_ERROR_LOG": "/dev/stderr",
    }


def everywhere(database: str, username: str) -> Mapping[str, str]:
    """Configure every process of Kong's: gateway, migrations and administration."""
    return {
        "KONG_DATABASE": "postgres",
        "KONG_PG_DATABASE": database,
        "KONG_PG_USER": username,
        "KONG_PREFIX": PREFIX,
        "KONG_ANONYMOUS_REPORTS": "off",
        "KONG_UNTRUSTED_LUA": "off",
    }


def declaration(settings: GatewaySettings, host: str, port: int) -> str:
    """Write ``kong.yml``: services, routes and plugins (https://developer.konghq.com/deck/reference/entities/).

    Args:
        settings: the stack's ``gateway`` section.
        host: host name of the app inside the cluster.
        port: its TCP port.
    """
    milliseconds = settings.timeout_seconds * 1000
    routes: list[dict[str, object]] = [
        {
            "name": "app",
            "paths": ["/"],
            "protocols": ["http", "https"],
            "preserve_host": True,
            "strip_path": False,
            "request_buffering": False,
        }
    ]
    if settings.hidden_paths:
        routes.append(
            {
                "name": "hidden",
                "paths": [f"~{hidden(path)}" for path in settings.hidden_paths],
                "protocols": ["http", "https"],
                "plugins": [{"name": "request-termination", "config": {"status_code": 404, "message": "Not found"}}],
            }
        )
    document = {
        "_format_version": "3.0",
        "_info": {"select_tags": [TAG]},
        "services": [
            {
                "name": "app",
                "protocol": "http",
                "host": host,
                "port": port,
                "connect_timeout": 5000,
                "read_timeout": milliseconds,
                "write_timeout": milliseconds,
                "retries": 2,
                "routes": routes,
            }
        ],
        "plugins": [
            {
                "name": "correlation-id",
                "config": {"header_name": "X-Request-ID", "generator": "uuid", "echo_downstream": True},
            },
            {
                "name": "rate-limiting",
                "config": {
                    "minute": settings.requests_per_minute,
                    "limit_by": "ip",
                    "policy": "local",
                    "fault_tolerant": True,
                },
            },
            {
                "name": "request-size-limiting",
                "config": {"allowed_payload_size": settings.body_limit_mib, "size_unit": "megabytes"},
            },
            {
                "name": "prometheus",
                "config": {
                    "status_code_metrics": True,
                    "latency_metrics": True,
                    "bandwidth_metrics": True,
                    "upstream_health_metrics": True,
                },
            },
        ],
    }
    return yaml.safe_dump(document, sort_keys=False)


def hidden(path: str) -> str:
    """Write a path, with all below it, as a regular expression of a route."""
    return f"{re.escape(path)}(?:/|$)".replace("\\-", "-")
