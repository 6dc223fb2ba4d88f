"""Orders that were read lately, in Redis. A cache that fails costs time and never an answer."""

import asyncio
import logging
from typing import Protocol
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import RedisError

from .metrics import Metrics
from .settings import RedisSettings
from .store import Order

_log = logging.getLogger(__name__)
_FAILURES = (RedisError, OSError, TimeoutError, ValueError)


class OrderCache(Protocol):
    """Remembers orders for a while."""

    async def close(self) -> None: ...
    async def check(self) -> None: ...
    async def get(self, order_id: UUID) -> Order | None: ...
    async def put(self, order: Order) -> None: ...


class NoCache:
    """Remembers nothing."""

    async def close(self) -> None:
        """Nothing to close."""

    async def check(self) -> None:
        """Nothing to ask."""

    async def get(self, order_id: UUID) -> Order | None:
        """Return None."""

    async def put(self, order: Order) -> None:
        """Forget the order at once."""


class _Credentials(CredentialProvider):
    """Asked for each new connection, so that a rotated password is picked up."""

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        password = self._settings.secret() or ""
        return (self._settings.username, password) if self._settings.username else (password,)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        return self.get_credentials()


class RedisCache:
    """Remembers orders in Redis for `ttl_seconds`."""

    def __init__(self, settings: RedisSettings, metrics: Metrics) -> None:
        self._ttl = settings.ttl_seconds
        self._timeout = settings.timeout_seconds
        self._metrics = metrics
        self._redis = Redis(
            host=settings.host,
            port=settings.port,
            credential_provider=_Credentials(settings) if settings.secret() else None,
            ssl=settings.tls,
            ssl_ca_certs=str(settings.ca_file) if settings.ca_file else None,
            socket_timeout=settings.timeout_seconds,
            socket_connect_timeout=settings.timeout_seconds,
            # Once, for a connection that the server closed while it lay idle.
            retry=Retry(NoBackoff(), 1),
            client_name="orders",
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._redis.aclose()

    async def check(self) -> None:
        """Ask Redis for an answer.

        Raises:
            redis.exceptions.RedisError: it gave none.
            TimeoutError: it took too long.
        """
        async with asyncio.timeout(self._timeout):
            await self._redis.get("readiness")

    async def get(self, order_id: UUID) -> Order | None:
        """Return the order if it is remembered; count a hit, a miss or an error."""
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._redis.get(_key(order_id))
            order = None if found is None else Order.model_validate_json(found)
        except _FAILURES as error:
            _log.warning("cache not read", extra={"error": repr(error)})
            self._metrics.cache_requests.labels("error").inc()
            return None
        self._metrics.cache_requests.labels("miss" if order is None else "hit").inc()
        return order

    async def put(self, order: Order) -> None:
        """Remember the order."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._redis.set(_key(order.id), order.model_dump_json(), ex=self._ttl)
        except _FAILURES as error:
            _log.warning("cache not written", extra={"error": repr(error)})


def _key(order_id: UUID) -> str:
    return f"orders:{order_id}"
