"""What an order is, and where orders are kept: PostgreSQL, or this process's memory where none is configured."""

import asyncio
import logging
import os
import re
import signal
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol, Self
from uuid import UUID, uuid4

from psycopg import AsyncConnection, OperationalError
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, ConfigDict, Field

from .settings import DatabaseSettings

_log = logging.getLogger("orders")

_REFUSED = re.compile(r"password authentication failed|The password that was provided for the role")

Publish = Callable[["Order"], Awaitable[None]]

# Any number that no other user of the database takes: it makes replicas that start together wait for each other.
_SCHEMA_LOCK = 7_205_133_416
_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    id uuid PRIMARY KEY,
    item text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    created_at timestamptz NOT NULL,
    published_at timestamptz
);
CREATE INDEX IF NOT EXISTS orders_created_at ON orders (created_at DESC);
CREATE INDEX IF NOT EXISTS orders_unpublished ON orders (created_at) WHERE published_at IS NULL;
"""


class NewOrder(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")
    quantity: int = Field(ge=1, le=1000)


class Order(NewOrder):
    """An order that was taken."""

    id: UUID = Field(default_factory=uuid4)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class OrderStore(Protocol):
    """Keeps orders, and remembers of each whether its event was published (a transactional outbox)."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def check(self) -> None: ...
    async def add(self, order: Order) -> None: ...
    async def get(self, order_id: UUID) -> Order | None: ...
    async def newest(self, limit: int) -> Sequence[Order]: ...
    async def publish_pending(self, publish: Publish, limit: int) -> int: ...


class MemoryStore:
    """Keeps the newest `capacity` orders until the process ends."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._orders: OrderedDict[UUID, Order] = OrderedDict()
        self._pending: OrderedDict[UUID, Order] = OrderedDict()

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def check(self) -> None:
        """Memory always answers."""

    async def add(self, order: Order) -> None:
        """Keep an order; the oldest one goes when there are too many."""
        for kept in (self._orders, self._pending):
            kept[order.id] = order
            if len(kept) > self._capacity:
                kept.popitem(last=False)

    async def get(self, order_id: UUID) -> Order | None:
        """Return the order of this id."""
        return self._orders.get(order_id)

    async def newest(self, limit: int) -> Sequence[Order]:
        """Return up to `limit` orders, newest first."""
        return list(reversed(self._orders.values()))[:limit]

    async def publish_pending(self, publish: Publish, limit: int) -> int:
        """Publish up to `limit` orders whose event is still owed; return how many."""
        batch = list(self._pending.values())[:limit]
        for order in batch:
            await publish(order)
            self._pending.pop(order.id, None)
        return len(batch)


class PostgresStore:
    """Keeps orders in one table, by a bounded pool of connections."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._timeout = settings.timeout_seconds
        self._prepared = False
        self._preparing = asyncio.Lock()
        self.pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            # A password from the environment cannot change any more in this process.
            connection_class=AsyncConnection if settings.password_file else _EndsOnRotation,
            # A function, so that each new connection reads the password file anew: a rotated secret is picked up.
            kwargs=lambda: _connection(settings),
            min_size=settings.pool_min,
            max_size=settings.pool_max,
            timeout=settings.timeout_seconds,
            # After that the next request tries again, rather than waiting for the end of a long back-off.
            reconnect_timeout=2,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )

    async def open(self) -> None:
        """Start to connect, without waiting for the database to be there."""
        await self.pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        await self.pool.close(timeout=self._timeout)

    async def check(self) -> None:
        """Ask the database for an answer.

        Raises:
            psycopg.OperationalError: it gave none.
            TimeoutError: it took too long.
        """
        async with self._connection() as connection:
            await connection.execute("SELECT 1")

    async def add(self, order: Order) -> None:
        """Insert an order whose event is owed."""
        async with self._connection() as connection:
            await connection.execute(
                "INSERT INTO orders (id, item, quantity, created_at) VALUES (%s, %s, %s, %s)",
                (order.id, order.item, order.quantity, order.created_at),
            )

    async def get(self, order_id: UUID) -> Order | None:
        """Return the order of this id."""
        async with self._connection() as connection, connection.cursor(row_factory=class_row(Order)) as cursor:
            await cursor.execute("SELECT id, item, quantity, created_at FROM orders WHERE id = %s", (order_id,))
            return await cursor.fetchone()

    async def newest(self, limit: int) -> Sequence[Order]:
        """Return up to `limit` orders, newest first."""
        async with self._connection() as connection, connection.cursor(row_factory=class_row(Order)) as cursor:
            await cursor.execute(
                "SELECT id, item, quantity, created_at FROM orders ORDER BY created_at DESC LIMIT %s", (limit,)
            )
            return await cursor.fetchall()

    async def publish_pending(self, publish: Publish, limit: int) -> int:
        """Publish up to `limit` orders whose event is still owed, oldest first; return how many.

        Rows are locked meanwhile, so replicas share the work. A crash between the broker's confirm and the commit
        publishes an event again: consumers tell by its message id.
        """
        async with self.pool.connection() as connection, connection.cursor(row_factory=class_row(Order)) as cursor:
            await self._prepare(connection)
            await cursor.execute(
                "SELECT id, item, quantity, created_at FROM orders WHERE published_at IS NULL"
                " ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED",
                (limit,),
            )
            batch = await cursor.fetchall()
            outcomes = await asyncio.gather(*(publish(order) for order in batch), return_exceptions=True)
            published = [order.id for order, outcome in zip(batch, outcomes, strict=True) if outcome is None]
            await cursor.execute("UPDATE orders SET published_at = now() WHERE id = ANY(%s)", (published,))
        for outcome in outcomes:
            if outcome is not None:
                raise outcome
        return len(batch)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        async with asyncio.timeout(self._timeout), self.pool.connection() as connection:
            await self._prepare(connection)
            yield connection

    async def _prepare(self, connection: AsyncConnection[Any]) -> None:
        if self._prepared:
            return
        async with self._preparing, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))
            await connection.execute(_SCHEMA)
        self._prepared = True


class _EndsOnRotation(AsyncConnection[Any]):
    """Ends the process in order when the database no longer takes the password that the process was started with.

    Whoever started it starts another, which gets the new one. Requests go on meanwhile by the connections that are
    open, and those of others.
    """

    @classmethod
    async def connect(cls, *args: Any, **kwargs: Any) -> Self:
        try:
            return await super().connect(*args, **kwargs)
        except OperationalError as error:
            # libpq tells of a failed sign-in in words alone: PostgreSQL's, and RDS Proxy's.
            if _REFUSED.search(str(error)):
                _log.error("the database password was rotated: ending, to be started with the new one")
                os.kill(os.getpid(), signal.SIGTERM)
            raise


def _connection(settings: DatabaseSettings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "dbname": settings.name,
        "user": settings.user,
        "password": settings.secret(),
        "sslmode": settings.sslmode,
        "sslrootcert": str(settings.ca_file) if settings.ca_file else None,
        "connect_timeout": max(2, round(settings.timeout_seconds)),
        "application_name": "orders",
        # Named prepared statements would pin each client of RDS Proxy to a connection of its own.
        "prepare_threshold": None,
    }
