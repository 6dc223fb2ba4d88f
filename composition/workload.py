"""What runs in the cluster, and who talks to whom there."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from components.workload import (
    App,
    AppArgs,
    ClusterCache,
    ClusterCacheArgs,
    Endpoint,
    Flow,
    Foundation,
    FoundationArgs,
    Space,
)
from components.workload import app as the_app
from components.workload import cache as the_cache
from settings import PROJECT, AppSettings, CacheSettings, ImageSettings, StackSettings

NAMESPACE = PROJECT
"""Namespace of the platform's workloads."""

EVERY_POD = Endpoint(NAMESPACE)
ANYWHERE = Endpoint(None, blocks=("0.0.0.0/0",))
APP, CACHE = Endpoint(NAMESPACE, the_app.NAME), Endpoint(NAMESPACE, the_cache.NAME)


def flows(cache: CacheSettings | None) -> list[Flow]:
    """List every connection that is wanted."""
    wanted = [
        # Where names are resolved differs by cluster: pods, or the node itself.
        Flow("dns", EVERY_POD, ANYWHERE, (("UDP", 53), ("TCP", 53))),
    ]
    if cache:
        wanted.append(Flow("cache", APP, CACHE, (("TCP", the_cache.PORT),)))
    return wanted


def space(app: AppSettings, cache: CacheSettings | None) -> Space:
    """Make room for the most copies and half as many again while they are replaced, and for the stores."""
    copies = app.scaling.maximum
    stores = cache.in_cluster.memory_mib * 2 if cache else 0
    return Space(
        NAMESPACE,
        cpu_millis=app.pod.cpu_request_millis * copies * 3 // 2 + 1000,
        memory_mib=app.pod.memory_request_mib * copies * 3 // 2 + 1024 + stores,
        pods=copies * 2 + 10,
    )


def run_workload(
    name: str, settings: StackSettings, app: AppSettings, image: ImageSettings, provider: kubernetes.Provider
) -> None:
    """Divide the cluster up, and run the app and its stores in it."""
    opts = pulumi.ResourceOptions(providers=[provider, random.Provider("workload-random")])
    cache = settings.cache if settings.cache and not settings.cache.managed else None
    foundation = Foundation(name, FoundationArgs([space(app, cache)], flows(cache)), opts)
    namespace = foundation.namespaces[NAMESPACE]
    environment: dict[str, pulumi.Input[str]] = {}
    logins: dict[str, pulumi.Input[str]] = {}
    if cache:
        args = ClusterCacheArgs(cache, namespace, foundation.priority_classes["critical"])
        store = ClusterCache(name, args, opts)
        environment.update(to_cache(store))
        logins["cache"] = store.login
    made = App(
        name,
        AppArgs(
            app,
            namespace=namespace,
            image=image.reference or "",
            priority_class=foundation.priority_classes["normal"],
            environment=environment,
            logins=logins,
        ),
        opts,
    )
    pulumi.export("app_service", made.service)


def to_cache(cache: ClusterCache) -> Mapping[str, pulumi.Input[str]]:
    """Tell the app of the cache."""
    return {
        "REDIS_HOST": cache.host,
        "REDIS_PORT": str(cache.port),
        "REDIS_USERNAME": cache.username,
        "REDIS_PASSWORD_FILE": f"{the_app.LOGINS}/cache/password",
        "REDIS_TLS": "false",
    }
