"""What nginx is told."""

from __future__ import annotations

from settings.load_balancer import LoadBalancerSettings

HTTP_PORT, HTTPS_PORT, HEALTH_PORT = 8080, 8443, 8081
"""TCP ports of requests, and of probes."""

CONFIGURATION, RUN, TLS = "/etc/auterity", "/run/nginx", "/run/secrets/tls"
"""Directories of the configuration, of what nginx writes, and of certificate and key."""

RESOLVERS = f"{RUN}/resolvers.conf"
"""File that names who resolves names in the cluster."""

LOG = {
    "time": "$time_iso8601",
    "client": "$remote_addr",
    "method": "$request_method",
    "host": "$host",
    # Without the query, which may hold what nobody should read.
    "path": "$uri",
    "status": "$status",
    "bytes": "$body_bytes_sent",
    "seconds": "$request_time",
    "upstream": "$upstream_addr",
    "upstream_seconds": "$upstream_response_time",
    "request_id": "$upstream_http_x_request_id",
}
"""Fields of a line of the log to nginx's variables."""


def server_configuration(settings: LoadBalancerSettings, target: str, port: int) -> str:
    """Write ``nginx.conf`` (https://nginx.org/en/docs/).

    Args:
        settings: the stack's ``load_balancer`` section.
        target: host name with an address for each copy of what serves requests.
        port: their TCP port.
    """
    log = ",".join(f'"{field}":"{variable}"' for field, variable in LOG.items())
    return f"""\
worker_processes auto;
pid {RUN}/nginx.pid;
error_log /dev/stderr warn;

events {{
    worker_connections 4096;
}}

http {{
    include {RESOLVERS};
    server_tokens off;
    log_format json escape=json '{{{log}}}';
    access_log /dev/stdout json;
    client_body_temp_path {RUN}/body;
    proxy_temp_path {RUN}/proxy;
    fastcgi_temp_path {RUN}/fastcgi;
    uwsgi_temp_path {RUN}/uwsgi;
    scgi_temp_path {RUN}/scgi;

    upstream gateway {{
        zone gateway 64k;
        least_conn;
        server {target}:{port} resolve;
        keepalive {settings.keepalive};
    }}

    # A WebSocket is upgraded; every other connection is kept for the next request.
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        "" "";
    }}

    server {{
        listen {HEALTH_PORT};
        access_log off;
        location = /healthz {{
            return 200;
        }}
        location / {{
            return 404;
        }}
    }}
{_servers(settings)}}}
"""


def _servers(settings: LoadBalancerSettings) -> str:
    if not settings.tls_secret:
        return f"""
    server {{
        listen {HTTP_PORT} default_server;
{_proxy(settings)}    }}
"""
    return f"""
    server {{
        listen {HTTP_PORT} default_server;
        return 308 https://$host$request_uri;
    }}

    server {{
        listen {HTTPS_PORT} ssl default_server;
        ssl_certificate {TLS}/tls.crt;
        ssl_certificate_key {TLS}/tls.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:tls:10m;
        ssl_session_tickets off;
        add_header Strict-Transport-Security "max-age=31536000" always;
{_proxy(settings)}    }}
"""


def _proxy(settings: LoadBalancerSettings) -> str:
    return f"""\
        client_max_body_size {settings.body_limit_mib}m;

        location / {{
            proxy_pass http://gateway;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            # Clients reach nginx directly: what they say of their own address is not passed on.
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_connect_timeout {settings.connect_timeout_seconds}s;
            proxy_send_timeout {settings.timeout_seconds}s;
            proxy_read_timeout {settings.timeout_seconds}s;
            # No bodies in files: they would fill the pod's own room, for which the kubelet evicts it.
            proxy_request_buffering off;
            proxy_max_temp_file_size 0;
            proxy_next_upstream error timeout;
            proxy_next_upstream_tries 3;
        }}
"""
