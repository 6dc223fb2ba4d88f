"""The service by itself: no dependency configured, or one that is not there."""

import asyncio
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from examples.app.orders.logs import configure_logs
from examples.app.orders.settings import (
    AppSettings,
    DatabaseSettings,
    RabbitmqSettings,
    RedisSettings,
    Settings,
)
from examples.app.orders.store import MemoryStore, Order
from examples.app.orders.web import create_app

ORDER = {"item": "brake pads", "quantity": 4}


@contextmanager
def serving(settings: Settings | None = None) -> Iterator[TestClient]:
    with TestClient(create_app(settings or Settings()), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client() -> Iterator[TestClient]:
    with serving() as alone:
        yield alone


def samples(client: TestClient, name: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {tuple(s.labels.values()): s.value for family in families for s in family.samples if s.name == name}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_order_taken_without_any_dependency_is_found_again(client: TestClient) -> None:
    taken = client.post("/orders", json=ORDER)
    assert taken.status_code == 201
    assert client.get(taken.headers["Location"]).json() == taken.json()
    assert client.get("/orders").json() == [taken.json()]


def test_an_order_that_does_not_exist_is_not_found(client: TestClient) -> None:
    assert client.get(f"/orders/{uuid4()}").status_code == 404


@pytest.mark.parametrize(
    "wrong", [{}, {**ORDER, "quantity": 0}, {**ORDER, "item": ""}, {**ORDER, "item": "a\0b"}, {**ORDER, "id": "1"}]
)
def test_a_wrong_order_is_refused(client: TestClient, wrong: dict[str, object]) -> None:
    assert client.post("/orders", json=wrong).status_code == 422


def test_a_service_without_dependencies_is_alive_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready", "checks": {}}


def test_requests_are_counted_by_route_template_and_class_of_status(client: TestClient) -> None:
    for _ in range(3):
        client.get(f"/orders/{uuid4()}")
    client.post("/orders", json=ORDER)
    client.get("/wp-login.php")
    client.request("BREW", "/orders")
    assert samples(client, "http_request_duration_seconds_count") == {
        ("GET", "/orders/{order_id}", "4xx"): 3,
        ("POST", "/orders", "2xx"): 1,
        ("GET", "unmatched", "4xx"): 1,
        ("OTHER", "/orders", "4xx"): 1,
    }


def test_probes_and_scrapes_are_not_counted_as_requests(client: TestClient) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        client.get(path)
    assert samples(client, "http_request_duration_seconds_count") == {}


def test_the_gateways_request_id_comes_back(client: TestClient) -> None:
    assert client.get("/orders", headers={"X-Request-ID": "kong-42"}).headers["X-Request-ID"] == "kong-42"


def test_a_request_id_that_is_no_plain_identifier_is_replaced(client: TestClient) -> None:
    given = 'x" injected="1'
    assert client.get("/orders", headers={"X-Request-ID": given}).headers["X-Request-ID"] not in ("", given)


def test_a_log_line_is_one_json_object_with_level_and_request_id(
    client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        configure_logs("INFO")
        client.get("/orders?token=hidden", headers={"X-Request-ID": "kong-43"})
    finally:
        root.handlers[:], root.level = before
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [line] = [line for line in lines if line["logger"] == "orders.access"]
    assert (line["level"], line["request_id"], line["path"]) == ("INFO", "kong-43", "/orders")


def test_a_draining_service_is_alive_and_not_ready(client: TestClient) -> None:
    client.app.state.service.draining = True  # type: ignore[attr-defined]
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_an_absent_database_makes_orders_fail_for_now_and_readiness_too() -> None:
    database = DatabaseSettings(
        host="127.0.0.1", port=closed_port(), name="orders", user="app", sslmode="disable", timeout_seconds=0.2
    )
    with serving(Settings(database=database)) as client:
        refused = client.post("/orders", json=ORDER)
        ready = client.get("/readyz")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert (ready.status_code, ready.json()["checks"]) == (503, {"database": "failed"})


def test_an_absent_cache_is_counted_and_costs_no_answer() -> None:
    redis = RedisSettings(host="127.0.0.1", port=closed_port(), tls=False, timeout_seconds=0.2)
    with serving(Settings(redis=redis)) as client:
        location = client.post("/orders", json=ORDER).headers["Location"]
        assert client.get(location).status_code == 200
        assert samples(client, "cache_requests_total")[("error",)] == 1
        assert client.get("/readyz").json()["checks"] == {"redis": "failed"}


def test_an_absent_broker_holds_no_order_up() -> None:
    rabbitmq = RabbitmqSettings(
        host="127.0.0.1", port=closed_port(), username="app", password=SecretStr("x"), tls=False, timeout_seconds=0.2
    )
    with serving(Settings(rabbitmq=rabbitmq)) as client:
        assert client.post("/orders", json=ORDER).status_code == 201
        assert client.get("/readyz").json()["checks"] == {"rabbitmq": "failed"}


def test_a_delay_is_ignored_unless_faults_are_enabled() -> None:
    with serving(Settings(app=AppSettings(enable_faults=False))) as client:
        assert client.get("/orders?delay_ms=not-a-number").status_code == 200
    with serving(Settings(app=AppSettings(enable_faults=True))) as client:
        assert client.get("/orders?delay_ms=not-a-number").status_code == 422
        client.get("/orders?delay_ms=60")
        assert samples(client, "http_request_duration_seconds_sum")[("GET", "/orders", "2xx")] >= 0.06


def test_an_event_that_could_not_be_published_stays_owed() -> None:
    async def publish_in_two_tries() -> list[int]:
        store = MemoryStore()
        await store.add(Order(item="bulb", quantity=1))

        async def refuse(_: Order) -> None:
            raise ConnectionError

        async def accept(_: Order) -> None:
            return None

        with pytest.raises(ConnectionError):
            await store.publish_pending(refuse, 10)
        return [await store.publish_pending(accept, 10), await store.publish_pending(accept, 10)]

    assert asyncio.run(publish_in_two_tries()) == [1, 0]


def test_memory_keeps_no_more_orders_than_its_capacity() -> None:
    async def keep_three() -> list[str]:
        store = MemoryStore(capacity=2)
        for item in ("first", "second", "third"):
            await store.add(Order(item=item, quantity=1))
        return [order.item for order in await store.newest(10)]

    assert asyncio.run(keep_three()) == ["third", "second"]
