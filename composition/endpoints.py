"""Who talks in the cluster."""

from __future__ import annotations

from components.observability import names as watchers
from components.workload import Endpoint
from components.workload import app as the_app
from components.workload import broker_users as the_broker_users
from components.workload import cache as the_cache
from components.workload import database as the_database
from components.workload import database_roles as the_database_roles
from components.workload import gateway as the_gateway
from components.workload import load_balancer as the_load_balancer
from components.workload import login as the_login
from components.workload import queue as the_queue
from components.workload import vault as the_vault
from settings import PROJECT

NAMESPACE = PROJECT
"""Namespace of the platform's workloads."""

ANYWHERE = Endpoint(None, blocks=("0.0.0.0/0",))
IDENTITY = Endpoint(None, blocks=("169.254.170.23/32",))
"""Where pods on EKS get their identity in AWS, over HTTP (EKS user guide, 'EKS Pod Identity Agent')."""

API_SERVER_PORTS = (("TCP", 443), ("TCP", 6443))
"""The API server's: its address differs by cluster."""

APP, BROKER_USERS, CACHE, DATABASE, DATABASE_ROLES, GATEWAY, GATEWAY_WORK, LOAD_BALANCER, LOGINS, QUEUE, VAULT = (
    Endpoint(NAMESPACE, name)
    for name in (
        the_app.NAME,
        the_broker_users.NAME,
        the_cache.NAME,
        the_database.NAME,
        the_database_roles.NAME,
        the_gateway.NAME,
        the_gateway.WORK,
        the_load_balancer.NAME,
        the_login.NAME,
        the_queue.NAME,
        the_vault.NAME,
    )
)

PROMETHEUS, ALERTMANAGER, PUSHGATEWAY, LOKI, ALLOY, GRAFANA, KUBE_STATE_METRICS = (
    Endpoint(watchers.NAMESPACE, name)
    for name in (
        watchers.PROMETHEUS,
        watchers.ALERTMANAGER,
        watchers.PUSHGATEWAY,
        watchers.LOKI,
        watchers.ALLOY,
        watchers.GRAFANA,
        watchers.KUBE_STATE_METRICS,
    )
)
NODE_EXPORTER = Endpoint(watchers.NODES_NAMESPACE, watchers.NODE_EXPORTER)
