"""Measures and logs every request, and carries its id from the gateway into logs and answer."""

import logging
import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .logs import request_id
from .metrics import Metrics

_log = logging.getLogger("orders.access")

# What a client sends is repeated in logs: nothing but a plain identifier passes.
_PLAIN_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
# Probes and scrapes are no users: they would make the service look faster than it is.
OPERATIONAL = frozenset({"/healthz", "/readyz", "/metrics"})


class Observability:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        current = given if _PLAIN_ID.fullmatch(given) else str(uuid4())
        token = request_id.set(current)
        if scope["path"] in OPERATIONAL:
            await self._app(scope, receive, send)
            request_id.reset(token)
            return
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = current
            await send(message)

        start = time.perf_counter()
        try:
            with self._metrics.in_flight.track_inprogress():
                await self._app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - start
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.observe(scope["method"], route, status, seconds)
            _log.info(
                "request",
                extra={
                    "method": scope["method"],
                    "route": route,
                    "path": scope["path"],
                    "status": status,
                    "duration_ms": round(seconds * 1000, 1),
                },
            )
            request_id.reset(token)
