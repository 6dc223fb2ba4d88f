"""What the service tells Prometheus. No label takes a value that a client can choose freely."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

# Seconds: fine around the tens of milliseconds of a healthy request, up to a gateway's usual time-out.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.in_flight = Gauge("http_requests_in_flight", "Requests being answered now.", registry=self.registry)
        self.cache_requests = Counter(
            "cache_requests", "Look-ups in the cache: hit, miss or error.", ["result"], registry=self.registry
        )
        self.events_published = Counter(
            "events_published", "Events sent to the broker: confirmed or error.", ["result"], registry=self.registry
        )
        self._duration = Histogram(
            "http_request_duration_seconds",
            "Time from a request's arrival to the end of its answer, by route template and class of status.",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        for labels in (("hit",), ("miss",), ("error",)):
            self.cache_requests.labels(*labels)
        for labels in (("confirmed",), ("error",)):
            self.events_published.labels(*labels)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        known = method if method in _METHODS else "OTHER"
        self._duration.labels(known, route, f"{status // 100}xx").observe(seconds)

    def watch_pool(self, stats: Callable[[], Mapping[str, int]]) -> None:
        """Report a psycopg pool's own statistics with each scrape."""
        self.registry.register(_PoolCollector(stats))

    def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self.registry)


class _PoolCollector(Collector):
    def __init__(self, stats: Callable[[], Mapping[str, int]]) -> None:
        self._stats = stats

    def describe(self) -> Iterable[Metric]:
        return self.collect()

    def collect(self) -> Iterable[Metric]:
        """Name after https://www.psycopg.org/psycopg3/docs/advanced/pool.html#pool-stats."""
        stats = self._stats()

        def gauge(name: str, text: str, key: str) -> Metric:
            return GaugeMetricFamily(f"database_pool_{name}", text, value=stats.get(key, 0))

        def counter(name: str, text: str, key: str, scale: float = 1) -> Metric:
            return CounterMetricFamily(f"database_pool_{name}", text, value=stats.get(key, 0) * scale)

        yield gauge("max_connections", "Connections that the pool may open.", "pool_max")
        yield gauge("connections", "Connections that the pool has, idle or in use.", "pool_size")
        yield gauge("idle_connections", "Connections that nobody uses now.", "pool_available")
        yield gauge("waiting_requests", "Requests that wait for a connection now.", "requests_waiting")
        yield counter("requests", "Connections asked for.", "requests_num")
        yield counter("queued_requests", "Connections asked for that were not there at once.", "requests_queued")
        yield counter("failed_requests", "Connections asked for and not had in time.", "requests_errors")
        yield counter("wait_seconds", "Time that requests waited for a connection.", "requests_wait_ms", 0.001)
        yield counter("failed_connections", "Connections that could not be opened.", "connections_errors")
        yield counter("lost_connections", "Connections that were found broken.", "connections_lost")
