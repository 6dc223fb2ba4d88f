"""What runs in the cluster."""

from components.workload.app import App, AppArgs
from components.workload.binding import TargetGroupBinding, TargetGroupBindingArgs
from components.workload.broker_users import BrokerUsers, BrokerUsersArgs
from components.workload.cache import ClusterCache, ClusterCacheArgs
from components.workload.database import ClusterDatabase, ClusterDatabaseArgs
from components.workload.database_roles import DatabaseRoles, DatabaseRolesArgs
from components.workload.flows import Endpoint, Flow
from components.workload.foundation import Foundation, FoundationArgs, Space
from components.workload.gateway import Gateway, GatewayArgs, GatewayDatabase
from components.workload.load_balancer import ClusterLoadBalancer, ClusterLoadBalancerArgs
from components.workload.pods import Place
from components.workload.queue import ClusterQueue, ClusterQueueArgs
from components.workload.secrets_manager import MountedSecrets, MountedSecretsArgs
from components.workload.vault import Vault, VaultArgs
from components.workload.vault_configuration import KmsSeal

__all__ = [
    "App",
    "AppArgs",
    "BrokerUsers",
    "BrokerUsersArgs",
    "ClusterCache",
    "ClusterCacheArgs",
    "ClusterDatabase",
    "ClusterDatabaseArgs",
    "ClusterLoadBalancer",
    "ClusterLoadBalancerArgs",
    "ClusterQueue",
    "ClusterQueueArgs",
    "DatabaseRoles",
    "DatabaseRolesArgs",
    "Endpoint",
    "Flow",
    "Foundation",
    "FoundationArgs",
    "Gateway",
    "GatewayArgs",
    "GatewayDatabase",
    "KmsSeal",
    "MountedSecrets",
    "MountedSecretsArgs",
    "Place",
    "Space",
    "TargetGroupBinding",
    "TargetGroupBindingArgs",
    "Vault",
    "VaultArgs",
]
