"""The HTTP side: orders for users; liveness, readiness and metrics for the platform."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Annotated
from uuid import UUID

import psycopg
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response, status
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from .cache import NoCache, OrderCache, RedisCache
from .events import EventPublisher, Relay
from .metrics import Metrics
from .observability import Observability
from .settings import Settings
from .store import MemoryStore, NewOrder, Order, OrderStore, PostgresStore

_log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[None]]


class Service:
    """What the routes work with. A dependency that is not configured is replaced by doing without."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics()
        self.checks: dict[str, Check] = {}
        self.draining = False
        self.readiness_timeout = settings.app.readiness_timeout_seconds

        self.store: OrderStore = MemoryStore()
        if settings.database:
            self.store = postgres = PostgresStore(settings.database)
            self.metrics.watch_pool(postgres.pool.get_stats)
            self.checks["database"] = postgres.check

        self.cache: OrderCache = NoCache()
        if settings.redis:
            self.cache = RedisCache(settings.redis, self.metrics)
            self.checks["redis"] = self.cache.check

        self.publisher: EventPublisher | None = None
        self.relay: Relay | None = None
        if settings.rabbitmq:
            self.publisher = EventPublisher(settings.rabbitmq, self.metrics)
            self.relay = Relay(self.store, self.publisher)
            self.checks["rabbitmq"] = self.publisher.check

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connect without waiting for anyone, and let go in the opposite order."""
        await self.store.open()
        relay = asyncio.create_task(self.relay.run()) if self.relay else None
        try:
            yield
        finally:
            if relay:
                relay.cancel()
                with suppress(asyncio.CancelledError):
                    await relay
            for part in (self.publisher, self.cache, self.store):
                if part is not None:
                    try:
                        await part.close()
                    except Exception as error:
                        _log.warning("not closed cleanly", extra={"error": repr(error)})

    async def readiness(self) -> dict[str, str]:
        """Ask every configured dependency at once: `ok` or `failed`, each within the time-out."""

        async def ask(name: str, check: Check) -> str:
            try:
                async with asyncio.timeout(self.readiness_timeout):
                    await check()
            except Exception as error:
                _log.warning("not ready", extra={"dependency": name, "error": repr(error)})
                return "failed"
            return "ok"

        answers = await asyncio.gather(*(ask(name, check) for name, check in self.checks.items()))
        return dict(zip(self.checks, answers, strict=True))


def create_app(settings: Settings) -> FastAPI:
    """Build the application; `app.state.service` is what it works with."""
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(title="orders", lifespan=lifespan, openapi_url=None)
    app.state.service = service
    app.add_middleware(Observability, metrics=service.metrics)
    app.add_exception_handler(psycopg.OperationalError, _unavailable)
    app.add_exception_handler(TimeoutError, _unavailable)
    app.include_router(_operational(service))
    app.include_router(_orders(service), dependencies=[Depends(_delay)] if settings.app.enable_faults else None)
    return app


def _operational(service: Service) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz(response: Response) -> dict[str, object]:
        answers = await service.readiness()
        ready = not service.draining and set(answers.values()) <= {"ok"}
        if not ready:
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return {"status": "draining" if service.draining else "ready" if ready else "not ready", "checks": answers}

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


def _orders(service: Service) -> APIRouter:
    router = APIRouter(prefix="/orders")

    @router.post("", status_code=status.HTTP_201_CREATED)
    async def take(new: NewOrder, response: Response) -> Order:
        order = Order(item=new.item, quantity=new.quantity)
        await service.store.add(order)
        if service.relay:
            service.relay.wake()
        response.headers["Location"] = f"/orders/{order.id}"
        return order

    @router.get("")
    async def newest(limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Sequence[Order]:
        return await service.store.newest(limit)

    @router.get("/{order_id}")
    async def read(order_id: UUID) -> Order:
        order = await service.cache.get(order_id)
        if order is None:
            order = await service.store.get(order_id)
            if order is None:
                raise HTTPException(status.HTTP_404_NOT_FOUND, f"there is no order {order_id}")
            await service.cache.put(order)
        return order

    return router


async def _delay(delay_ms: Annotated[int, Query(ge=0, le=30_000)] = 0) -> None:
    await asyncio.sleep(delay_ms / 1000)


async def _unavailable(_: Request, error: Exception) -> Response:
    _log.error("database does not answer", extra={"error": repr(error)})
    return JSONResponse(
        {"detail": "try again later"}, status.HTTP_503_SERVICE_UNAVAILABLE, headers={"Retry-After": "1"}
    )
