"""The reference application against real PostgreSQL, Redis and RabbitMQ."""

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import httpx2
import psycopg
import pytest
from psycopg import sql

from tests.real.reference_app import PATIENCE, App, eventually, running
from tests.real.services import Postgres, Rabbitmq, Redis, Server

CONNECTIONS = 16
# Each is posted and read once: 2,048 requests.
ORDERS = 1_024


def rotate(server: Postgres, current: str, password: str) -> None:
    """Change the user's password, and cut the sessions of the app as a fail-over would."""
    with psycopg.connect(
        host=server.host, port=server.port, dbname=server.database, user=server.user, password=current, autocommit=True
    ) as connection:
        change = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(server.user), sql.Literal(password))
        connection.execute(change)
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orders'")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, app_environment: dict[str, str]) -> Iterator[App]:
    with running(tmp_path_factory.mktemp("app"), app_environment) as started:
        eventually(lambda: started.status("/readyz") == 200)
        yield started


def test_an_order_is_kept_in_postgresql_cached_in_redis_and_announced_by_rabbitmq(
    app: App, rabbitmq_server: Rabbitmq
) -> None:
    taken = httpx2.post(f"{app.url}/orders", json={"item": "brake pads", "quantity": 4})
    order = taken.json()
    assert taken.status_code == 201

    hits = app.metric("cache_requests_total", result="hit")
    reads = [httpx2.get(app.url + taken.headers["Location"]).json() for _ in range(2)]
    assert reads == [order, order]
    assert app.metric("cache_requests_total", result="hit") == hits + 1

    assert asyncio.run(take_event(rabbitmq_server, order["id"])) == order


async def take_event(server: Rabbitmq, order_id: str) -> object:
    connection = await aio_pika.connect(host=server.host, port=server.port, login=server.user, password=server.password)
    async with connection, connection.channel() as channel:
        queue = await channel.get_queue("orders.created")
        async with queue.iterator(timeout=PATIENCE) as messages:
            async for message in messages:
                await message.ack()
                if message.message_id == order_id:
                    return json.loads(message.body)
    raise AssertionError("no event came")


def test_metrics_count_every_request_of_a_load(app: App) -> None:
    def counts() -> tuple[float, float]:
        name = "http_request_duration_seconds_count"
        return (
            app.metric(name, method="POST", route="/orders", status="2xx"),
            app.metric(name, method="GET", route="/orders/{order_id}", status="2xx"),
        )

    async def load() -> list[int]:
        limits = httpx2.Limits(max_connections=CONNECTIONS)
        async with httpx2.AsyncClient(base_url=app.url, limits=limits, timeout=PATIENCE) as client:

            async def user() -> list[int]:
                statuses = []
                for _ in range(ORDERS // CONNECTIONS):
                    taken = await client.post("/orders", json={"item": "filter", "quantity": 1})
                    read = await client.get(taken.headers["Location"])
                    statuses += [taken.status_code, read.status_code]
                return statuses

            users = await asyncio.gather(*(user() for _ in range(CONNECTIONS)))
            return [status for statuses in users for status in statuses]

    posts, gets = counts()
    published = app.metric("events_published_total", result="confirmed")
    statuses = asyncio.run(load())
    assert (statuses.count(201), statuses.count(200)) == (ORDERS, ORDERS)
    assert counts() == (posts + ORDERS, gets + ORDERS)
    assert app.metric("http_requests_in_flight") == 0
    eventually(lambda: app.metric("events_published_total", result="confirmed") >= published + ORDERS)
    assert app.metric("database_pool_requests_total") > ORDERS


@pytest.mark.parametrize("dependency", ["postgres", "redis", "rabbitmq"])
def test_a_dependency_that_goes_down_makes_the_app_unready_until_it_is_back(
    app: App, dependency: str, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(f"{dependency}_server")
    server.stop()
    try:
        assert app.status("/readyz") == 503
        assert app.status("/healthz") == 200
    finally:
        server.start()
    eventually(lambda: app.status("/readyz") == 200)


def test_an_order_taken_while_the_broker_is_down_is_announced_once_it_is_back(
    app: App, rabbitmq_server: Rabbitmq
) -> None:
    published = app.metric("events_published_total", result="confirmed")
    rabbitmq_server.stop()
    try:
        assert httpx2.post(f"{app.url}/orders", json={"item": "bulb", "quantity": 2}).status_code == 201
    finally:
        rabbitmq_server.start()
    eventually(lambda: app.metric("events_published_total", result="confirmed") == published + 1)


def test_orders_are_answered_without_their_cache(app: App, redis_server: Redis) -> None:
    location = httpx2.post(f"{app.url}/orders", json={"item": "mirror", "quantity": 1}).headers["Location"]
    redis_server.stop()
    try:
        assert app.status(location) == 200
    finally:
        redis_server.start()


def test_an_order_is_refused_for_now_while_the_database_is_down(app: App, postgres_server: Postgres) -> None:
    postgres_server.stop()
    try:
        refused = httpx2.post(f"{app.url}/orders", json={"item": "belt", "quantity": 1}, timeout=30)
    finally:
        postgres_server.start()
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    eventually(lambda: app.status("/readyz") == 200)


def test_a_terminated_app_answers_what_it_began_and_ends_in_order(
    tmp_path: Path, app_environment: dict[str, str]
) -> None:
    with running(tmp_path, app_environment) as app:
        eventually(lambda: app.status("/readyz") == 200)

        async def terminate_during_a_request() -> tuple[int, int]:
            async with httpx2.AsyncClient(base_url=app.url, timeout=PATIENCE) as client:
                slow = asyncio.create_task(client.get("/orders?delay_ms=2500"))
                while app.metric("http_requests_in_flight") == 0:
                    await asyncio.sleep(0.05)
                app.process.send_signal(signal.SIGTERM)
                while (ready := (await client.get("/readyz")).status_code) == 200:
                    await asyncio.sleep(0.05)
                return ready, (await slow).status_code

        assert asyncio.run(terminate_during_a_request()) == (503, 200)
        assert app.process.wait(PATIENCE) == 0


def test_an_app_whose_database_password_was_rotated_ends_in_order_to_be_started_with_the_new_one(
    tmp_path: Path, app_environment: dict[str, str], postgres_server: Postgres
) -> None:
    given = {key: value for key, value in app_environment.items() if key != "DATABASE_PASSWORD_FILE"}
    with running(tmp_path, {**given, "DATABASE_PASSWORD": postgres_server.password}) as app:
        eventually(lambda: app.status("/readyz") == 200)
        rotate(postgres_server, postgres_server.password, "another password")
        try:
            assert app.process.wait(PATIENCE) == 0
        finally:
            rotate(postgres_server, "another password", postgres_server.password)
    assert "password was rotated" in app.log.read_text()


def test_no_log_line_holds_a_password_and_every_one_is_json(
    app: App, postgres_server: Postgres, redis_server: Redis, rabbitmq_server: Rabbitmq
) -> None:
    httpx2.get(f"{app.url}/orders", headers={"X-Request-ID": "abc-1"})
    text = app.log.read_text()
    for server in (postgres_server, redis_server, rabbitmq_server):
        assert server.password not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert {"level", "message", "timestamp"} <= set.intersection(*(set(line) for line in lines))
    # A request may have more to say on a busy machine; that it was answered it says once.
    said = [line["route"] for line in lines if line.get("request_id") == "abc-1" and "route" in line]
    assert said == ["/orders"]
