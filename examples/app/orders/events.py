"""An event for each order taken, through RabbitMQ: published at least once, and only after the order is kept."""

import asyncio
import logging
import ssl
from contextlib import suppress

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange

from .metrics import Metrics
from .settings import RabbitmqSettings
from .store import Order, OrderStore

_log = logging.getLogger(__name__)

EXCHANGE = "orders"
ROUTING_KEY = "order.created"
QUEUE = "orders.created"


class EventPublisher:
    """Publishes to a durable topic exchange and waits for the broker's confirm.

    The quorum queue bound to it keeps what no consumer has taken yet; an event that reaches no queue counts as failed.
    """

    def __init__(self, settings: RabbitmqSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._connecting = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            async with asyncio.timeout(self._settings.timeout_seconds):
                await self._connection.close()

    async def check(self) -> None:
        """Ask the broker for an answer.

        Raises:
            aio_pika.exceptions.AMQPError, OSError: it gave none.
            TimeoutError: it took too long.
        """
        async with asyncio.timeout(self._settings.timeout_seconds):
            await self._open_exchange()
            assert self._channel is not None
            await self._channel.declare_exchange(EXCHANGE, passive=True)

    async def publish(self, order: Order) -> None:
        """Publish one order and wait until the broker has it safe.

        Raises:
            aio_pika.exceptions.AMQPError, OSError: the broker refused it, or is away.
            TimeoutError: it took too long.
        """
        message = aio_pika.Message(
            order.model_dump_json().encode(),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=str(order.id),
            timestamp=order.created_at,
            type=ROUTING_KEY,
            app_id="orders",
        )
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                exchange = await self._open_exchange()
                await exchange.publish(message, routing_key=ROUTING_KEY, mandatory=True)
        except Exception:
            self._metrics.events_published.labels("error").inc()
            raise
        self._metrics.events_published.labels("confirmed").inc()

    async def _open_exchange(self) -> AbstractExchange:
        async with self._connecting:
            if self._exchange is not None and self._channel is not None and not self._channel.is_closed:
                return self._exchange
            if self._connection is not None:
                # A channel that ended alone leaves its connection open.
                with suppress(Exception):
                    await self._connection.close()
            self._connection = await aio_pika.connect(
                host=self._settings.host,
                port=self._settings.effective_port,
                login=self._settings.username,
                password=self._settings.secret() or "",
                virtualhost=self._settings.vhost,
                ssl=self._settings.tls,
                ssl_context=self._tls(),
                timeout=self._settings.timeout_seconds,
                client_properties={"connection_name": "orders"},
            )
            self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            self._exchange = await self._channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
            queue = await self._channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
            await queue.bind(self._exchange, ROUTING_KEY)
            return self._exchange

    def _tls(self) -> ssl.SSLContext | None:
        if not self._settings.tls:
            return None
        return ssl.create_default_context(cafile=self._settings.ca_file)


class Relay:
    """Publishes in the background what the store still owes: at once when woken, else every `interval` seconds."""

    def __init__(self, store: OrderStore, publisher: EventPublisher, interval: float = 5, batch: int = 100) -> None:
        self._store = store
        self._publisher = publisher
        self._interval = interval
        self._batch = batch
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """Say that an event is owed."""
        self._wanted.set()

    async def run(self) -> None:
        """Publish until cancelled. A failure is logged and tried again after the interval."""
        while True:
            self._wanted.clear()
            try:
                while await self._store.publish_pending(self._publisher.publish, self._batch) == self._batch:
                    pass
            except Exception as error:
                _log.warning("events not published", extra={"error": repr(error)})
                await asyncio.sleep(self._interval)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), self._interval)
