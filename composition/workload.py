"""What runs in any cluster, and who talks to whom there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random
import pulumi_tls as tls

from components.images import ImageSource
from components.observability import Observability
from components.observability import names as watchers
from components.workload import (
    App,
    AppArgs,
    ClusterCache,
    ClusterCacheArgs,
    ClusterDatabase,
    ClusterDatabaseArgs,
    ClusterLoadBalancer,
    ClusterLoadBalancerArgs,
    ClusterQueue,
    ClusterQueueArgs,
    Endpoint,
    Flow,
    Foundation,
    FoundationArgs,
    Gateway,
    GatewayArgs,
    GatewayDatabase,
    KmsSeal,
    Place,
    Space,
    Vault,
    VaultArgs,
)
from components.workload import app as the_app
from components.workload import cache as the_cache
from components.workload import gateway as the_gateway
from components.workload import queue as the_queue
from components.workload import vault as the_vault
from components.workload.database_configuration import PORT as DATABASE_PORT
from components.workload.gateway_configuration import PROXY_PORT
from components.workload.load_balancer_configuration import HTTP_PORT, HTTPS_PORT
from components.workload.pods import from_secret
from components.workload.vault_configuration import CLUSTER_PORT as VAULT_CLUSTER_PORT
from components.workload.vault_configuration import PORT as VAULT_PORT
from components.workload.vault_configuration import SECRETS
from composition import observability
from composition.endpoints import (
    ANYWHERE,
    API_SERVER_PORTS,
    APP,
    CACHE,
    DATABASE,
    GATEWAY,
    GATEWAY_WORK,
    LOAD_BALANCER,
    LOGINS,
    NAMESPACE,
    QUEUE,
    VAULT,
)
from composition.inside import inside
from composition.observability import LogStorage, observe
from settings import AppSettings, GatewaySettings, LoadBalancerSettings, RegistrySettings, StackSettings, VaultSettings

if TYPE_CHECKING:
    from components.observability.tasks import WatchedTasks

EVERY_POD = Endpoint(NAMESPACE)


@dataclass(frozen=True)
class Wired:
    """How the app in the cluster reaches what it needs.

    Attributes:
        environment: environment variables that are no secret.
        logins: what a login is for to the volume that holds it.
        usernames: environment variables that say who signs in with a login; they change together with its volume.
        after: what must stand before the app starts, and no value carries.
    """

    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    logins: Mapping[str, kubernetes.core.v1.VolumeArgs] = field(default_factory=dict)
    usernames: Mapping[str, str] = field(default_factory=dict)
    after: Sequence[pulumi.Resource] = ()

    def __add__(self, other: Wired) -> Wired:
        return Wired(
            {**self.environment, **other.environment},
            {**self.logins, **other.logins},
            {**self.usernames, **other.usernames},
            (*self.after, *other.after),
        )


@dataclass(frozen=True)
class Floor:
    """What every workload of a stack stands on.

    Attributes:
        name: prefix of every name.
        opts: the providers.
        critical: place of what keeps others alive: gateway and stores.
        normal: place of everything else.
        watching: place of what watches them; None where nothing does.
        nodes: place of what reads the nodes; None where nothing does.
        namespaces: all namespaces: name to the same, known once it is there.
    """

    name: str
    opts: pulumi.ResourceOptions
    critical: Place
    normal: Place
    watching: Place | None = None
    nodes: Place | None = None
    namespaces: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterStores:
    """The stores that run in the cluster; None for one that the stack has not, or has outside."""

    database: ClusterDatabase | None
    cache: ClusterCache | None
    queue: ClusterQueue | None


def flows(settings: StackSettings) -> list[Flow]:
    """List every connection that is wanted between pods of the stack."""
    # Where names are resolved differs by cluster: pods, or the node itself.
    wanted = [Flow("dns", EVERY_POD, ANYWHERE, (("UDP", 53), ("TCP", 53)))]
    if cache := inside(settings.cache):
        wanted.append(Flow("cache", APP, CACHE, (("TCP", the_cache.PORT),)))
        if cache.password_version > 1:
            wanted.append(Flow("cache-logins", LOGINS, CACHE, (("TCP", the_cache.PORT),)))
    if messaging := inside(settings.messaging):
        wanted.append(Flow("queue", APP, QUEUE, (("TCP", the_queue.PORT),)))
        if messaging.password_version > 1:
            wanted.append(Flow("queue-logins", LOGINS, QUEUE, (("TCP", the_queue.PORT),)))
        if messaging.in_cluster.nodes > 1:
            wanted.append(Flow("queue-nodes", QUEUE, QUEUE, tuple(("TCP", port) for port in the_queue.NODE_PORTS)))
    if database := inside(settings.database):
        port = (("TCP", DATABASE_PORT),)
        wanted.append(Flow("database", APP, DATABASE, port))
        if database.in_cluster.password_version > 1:
            wanted.append(Flow("database-logins", LOGINS, DATABASE, port))
        if settings.gateway:
            wanted.append(Flow("gateway-database", GATEWAY, DATABASE, port))
            wanted.append(Flow("gateway-work", GATEWAY_WORK, DATABASE, port))
    if settings.gateway and settings.app:
        wanted.append(Flow("app", GATEWAY, APP, (("TCP", settings.app.port),)))
    if settings.vault:
        wanted.append(Flow("vault", APP, VAULT, (("TCP", VAULT_PORT),)))
        # The address of the API server, which tells whose token it is, differs by cluster.
        wanted.append(Flow("token-reviews", VAULT, ANYWHERE, API_SERVER_PORTS))
        if settings.vault.copies > 1:
            wanted.append(Flow("vault-servers", VAULT, VAULT, (("TCP", VAULT_PORT), ("TCP", VAULT_CLUSTER_PORT))))
    if settings.load_balancer:
        clients = Endpoint(None, blocks=tuple(map(str, settings.load_balancer.source_ranges)))
        ports = [HTTP_PORT, *([HTTPS_PORT] if settings.load_balancer.tls_secret else [])]
        wanted.append(Flow("clients", clients, LOAD_BALANCER, tuple(("TCP", port) for port in ports)))
        wanted.append(Flow("requests", LOAD_BALANCER, GATEWAY, (("TCP", PROXY_PORT),)))
    return wanted


def space(settings: StackSettings, app: AppSettings) -> Space:
    """Make room for the most copies and half as many again while they are replaced, and for all that stands around."""
    copies = app.scaling.maximum
    # With room for the work that a deployment does on its way.
    cpu = app.pod.cpu_request_millis * copies * 3 // 2 + 2000
    memory = app.pod.memory_request_mib * copies * 3 // 2 + 4096
    pods = copies * 2 + 20
    if gateway := settings.gateway:
        several = gateway.copies + 3
        cpu, memory, pods = (
            cpu + gateway.cpu_request_millis * several,
            memory + gateway.memory_mib * several,
            pods + several,
        )
    if balancer := settings.load_balancer:
        several = balancer.copies + 1
        cpu, memory, pods = cpu + 110 * several, memory + 256 * several, pods + several
    if vault := settings.vault:
        cpu, memory = cpu + vault.cpu_request_millis * vault.copies, memory + vault.memory_mib * vault.copies
    if backup := settings.backup:
        # Those that may run at the same time, and the server of a drill.
        cpu, memory, pods = cpu + 1000, memory + backup.memory_mib * 3 + 1024, pods + 4
    if database := inside(settings.database):
        cpu, memory = cpu + database.in_cluster.cpu_request_millis, memory + database.in_cluster.memory_mib
    if messaging := inside(settings.messaging):
        size = messaging.in_cluster
        cpu, memory = cpu + size.cpu_request_millis * size.nodes, memory + size.memory_mib * size.nodes
    if cache := inside(settings.cache):
        memory += cache.in_cluster.memory_mib * 2
    opened = settings.load_balancer.node_port if settings.load_balancer else None
    node_ports = 0 if not opened else 2 if settings.load_balancer and settings.load_balancer.tls_secret else 1
    balanced = settings.edge is not None
    return Space(NAMESPACE, cpu_millis=cpu, memory_mib=memory, pods=pods, node_ports=node_ports, balanced=balanced)


def lay_floor(
    name: str,
    settings: StackSettings,
    app: AppSettings,
    provider: kubernetes.Provider,
    outside: Sequence[Flow] = (),
    after: Sequence[pulumi.Resource] = (),
    mirrors: Mapping[str, pulumi.Input[str]] | None = None,
) -> Floor:
    """Divide the cluster up, and open the flows: those between pods, and those with the `outside`."""
    own = [random.Provider("workload-random"), tls.Provider("workload-tls")]
    opts = pulumi.ResourceOptions(providers=[provider, *own])
    spaces, wanted = [space(settings, app)], [*flows(settings), *outside]
    if settings.observability:
        spaces += observability.spaces(settings.observability, pushed_to=settings.backup is not None)
        wanted += observability.flows(settings, app, settings.observability)
    foundation = Foundation(name, FoundationArgs(spaces, wanted, after=after), opts)
    classes = foundation.priority_classes
    images = image_source(settings.registry, mirrors, app.architecture)
    eks = settings.kubernetes is not None and settings.kubernetes.eks is not None
    zones = settings.network.az_count if eks and settings.network else None
    places = {
        space: Place(namespace, classes["critical"], images, zones)
        for space, namespace in foundation.namespaces.items()
    }
    return Floor(
        name,
        opts,
        critical=places[NAMESPACE],
        normal=Place(foundation.namespaces[NAMESPACE], classes["normal"], images, zones),
        watching=places.get(watchers.NAMESPACE),
        nodes=places.get(watchers.NODES_NAMESPACE),
        namespaces=foundation.namespaces,
    )


def image_source(
    settings: RegistrySettings | None, mirrors: Mapping[str, pulumi.Input[str]] | None, architecture: str
) -> ImageSource:
    """Say where the images of others come from: the stack's own `mirrors`, else those that the settings name."""
    if settings is None:
        return ImageSource(architecture=architecture)
    named: dict[str, pulumi.Input[str]] = {str(host): mirror for host, mirror in settings.mirrors.items()}
    return ImageSource(mirrors or named, settings.pull_secret, architecture)


def make_cluster_stores(floor: Floor, settings: StackSettings) -> ClusterStores:
    """Run the stores that the settings want in the cluster."""
    database, cache, queue = None, None, None
    if wanted := inside(settings.database):
        further = (the_gateway.DATABASE,) if settings.gateway else ()
        args = ClusterDatabaseArgs(wanted, floor.critical, further, restorable=settings.backup is not None)
        database = ClusterDatabase(floor.name, args, floor.opts)
    if caching := inside(settings.cache):
        cache = ClusterCache(floor.name, ClusterCacheArgs(caching, floor.critical), floor.opts)
    if messaging := inside(settings.messaging):
        queue = ClusterQueue(floor.name, ClusterQueueArgs(messaging, floor.critical), floor.opts)
    return ClusterStores(database, cache, queue)


def run_app(floor: Floor, settings: StackSettings, app: AppSettings, image: pulumi.Input[str], wired: Wired) -> App:
    """Run the app."""
    made = App(
        floor.name,
        AppArgs(
            app,
            floor.normal,
            image=image,
            environment=wired.environment,
            logins=wired.logins,
            usernames=wired.usernames,
            after=wired.after,
        ),
        floor.opts,
    )
    pulumi.export("app_host", made.service)
    return made


def run_gateway(
    floor: Floor,
    settings: GatewaySettings,
    database: GatewayDatabase,
    app: App,
    notice_seconds: int = the_gateway.NOTICE_SECONDS,
) -> Gateway:
    """Run the gateway before the app; load balancers notice that a copy comes or goes within `notice_seconds`."""
    args = GatewayArgs(settings, floor.critical, database, app.service, app.port, notice_seconds)
    made = Gateway(floor.name, args, floor.opts)
    pulumi.export("gateway_host", made.host)
    return made


def balance(floor: Floor, settings: LoadBalancerSettings) -> ClusterLoadBalancer:
    """Open the gateway to clients outside the cluster."""
    args = ClusterLoadBalancerArgs(settings, floor.critical, the_gateway.NAME, PROXY_PORT)
    made = ClusterLoadBalancer(floor.name, args, floor.opts)
    pulumi.export("address", made.address)
    return made


def run_vault(
    floor: Floor,
    settings: VaultSettings,
    seal: pulumi.Input[KmsSeal] | None = None,
    after: Sequence[pulumi.Resource] = (),
) -> Vault:
    """Run the secrets manager of the workloads."""
    made = Vault(floor.name, VaultArgs(settings, floor.critical, seal, after), floor.opts)
    pulumi.export("vault_host", made.host)
    return made


def run_workload(
    name: str, settings: StackSettings, app: AppSettings, image: pulumi.Input[str], provider: kubernetes.Provider
) -> None:
    """Run a whole stack in a cluster that has nothing around it."""
    floor = lay_floor(name, settings, app, provider)
    stores = make_cluster_stores(floor, settings)
    vault = run_vault(floor, settings.vault) if settings.vault else None
    made = run_app(floor, settings, app, image, wire(stores, settings) + to_vault(vault))
    if settings.gateway and stores.database:
        run_gateway(floor, settings.gateway, gateway_database(stores.database), made)
    if settings.load_balancer:
        balance(floor, settings.load_balancer)
    watch_over(floor, settings, app, vault)


def watch_over(
    floor: Floor,
    settings: StackSettings,
    app: AppSettings,
    vault: Vault | None,
    storage: LogStorage | None = None,
    tasks: WatchedTasks | None = None,
) -> Observability | None:
    """Watch what runs in the cluster, where the settings want that."""
    if not floor.watching or not floor.nodes:
        return None
    return observe(
        floor.name, settings, app, floor.watching, floor.nodes, floor.namespaces, floor.opts, vault, storage, tasks
    )


def gateway_database(database: ClusterDatabase) -> GatewayDatabase:
    """Tell the gateway of its database in the cluster."""
    login = database.logins[the_gateway.DATABASE]
    volume = from_secret("login", login.secret)
    return GatewayDatabase(database.host, database.port, volume, login.username, after=[database])


def wire(stores: ClusterStores, settings: StackSettings) -> Wired:
    """Tell the app of all stores in the cluster."""
    wired = Wired()
    if stores.database and settings.database:
        wired += to_database(stores.database, settings.database.name)
    if stores.cache:
        wired += to_cache(stores.cache)
    if stores.queue:
        wired += to_queue(stores.queue)
    return wired


def to_database(database: ClusterDatabase, name: str) -> Wired:
    """Connect as the owner of the platform's database, or in the owner's name."""
    login = database.logins[name]
    return Wired(
        {
            "DATABASE_HOST": database.host,
            "DATABASE_PORT": str(database.port),
            "DATABASE_NAME": name,
            "DATABASE_PASSWORD_FILE": f"{the_app.LOGINS}/database/password",
            "DATABASE_SSLMODE": "disable",
        },
        {"database": from_secret("database", login.secret)},
        {"DATABASE_USER": login.username},
        login.accepted,
    )


def to_vault(vault: Vault | None) -> Wired:
    """Sign in to Vault by the service account; what is the app's own is below its name there."""
    if vault is None:
        return Wired()
    return Wired(
        {
            "VAULT_ADDR": pulumi.Output.concat("https://", vault.host, f":{vault.port}"),
            "VAULT_CACERT": f"{the_app.LOGINS}/vault/ca.crt",
            "VAULT_ROLE": SECRETS,
            "VAULT_JWT_FILE": f"{the_app.LOGINS}/vault/token",
            "VAULT_SECRETS": f"{SECRETS}/data/{the_app.NAME}",
        },
        {"vault": the_vault.signing_in("vault", vault.authority)},
    )


def to_cache(cache: ClusterCache) -> Wired:
    """Connect as the workloads' user."""
    return Wired(
        {
            "REDIS_HOST": cache.host,
            "REDIS_PORT": str(cache.port),
            "REDIS_PASSWORD_FILE": f"{the_app.LOGINS}/cache/password",
            "REDIS_TLS": "false",
        },
        {"cache": from_secret("cache", cache.login.secret)},
        {"REDIS_USERNAME": cache.username},
        cache.login.accepted,
    )


def to_queue(queue: ClusterQueue) -> Wired:
    """Connect as the workloads' user."""
    return Wired(
        {
            "RABBITMQ_HOST": queue.host,
            "RABBITMQ_PORT": str(queue.port),
            "RABBITMQ_PASSWORD_FILE": f"{the_app.LOGINS}/queue/password",
            "RABBITMQ_TLS": "false",
        },
        {"queue": from_secret("queue", queue.login.secret)},
        {"RABBITMQ_USERNAME": queue.username},
        queue.login.accepted,
    )
