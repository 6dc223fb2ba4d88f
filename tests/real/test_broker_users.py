"""The app's user is made by the Job's own script on a real RabbitMQ, by an administrator as Amazon MQ makes one."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import aio_pika
import aiormq
import pytest

from components.workload.broker_users import ADMINISTRATOR_FILE, LOGINS, USERS
from components.workload.pods import TEMPORARY
from tests.real.services import HOST
from tests.real.test_backup_services import ManagedRabbitmq, rabbitmq
from tests.unit.programs import shipped

APP, PASSWORD, NEXT = "app", "of-the-app", "of-the-app-next"


def run_job(broker: ManagedRabbitmq, directory: Path, password: str) -> None:
    """Run what the Job's container in production runs, with its files where they are here."""
    [pod] = [
        made.inputs["spec"]["template"]["spec"]
        for made in shipped("prod").of_type("kubernetes:batch/v1:Job")
        if made.name.endswith("-queue-users")
    ]
    [prepare] = pod["containers"]
    logins, temporary = directory / "logins", directory / "temporary"
    for place in (logins, temporary):
        place.mkdir(exist_ok=True)
    (logins / ADMINISTRATOR_FILE).write_text(broker.password)
    (logins / f"{USERS}{APP}").write_text(password)
    told = {each["name"] for each in prepare["env"]}
    assert told == {"URL", "ADMINISTRATOR"}
    command = [word.replace(TEMPORARY, str(temporary)).replace(LOGINS, str(logins)) for word in prepare["command"]]
    surroundings = {"PATH": os.environ["PATH"], "URL": broker.url, "ADMINISTRATOR": broker.user}
    subprocess.run(command, env=surroundings, check=True, timeout=60)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ManagedRabbitmq]:
    """A broker on which the Job has run, twice."""
    directory = tmp_path_factory.mktemp("job")
    with rabbitmq() as started:
        run_job(started, directory, PASSWORD)
        run_job(started, directory, PASSWORD)
        yield started


def exchanged(broker: ManagedRabbitmq, password: str) -> bytes:
    """Send the broker something as the app, and return what comes back."""

    async def exchange() -> bytes:
        async with await aio_pika.connect(f"amqp://{APP}:{password}@{HOST}:{broker.port}/") as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("of-the-app", durable=True)
            await channel.default_exchange.publish(aio_pika.Message(b"order"), queue.name)
            message = await queue.get(timeout=10)
            await message.ack()
            return message.body

    return asyncio.run(exchange())


def test_the_apps_user_works_with_queues(broker: ManagedRabbitmq) -> None:
    assert exchanged(broker, PASSWORD) == b"order"


def test_the_apps_user_administers_nothing(broker: ManagedRabbitmq) -> None:
    assert broker.ask("GET", f"/api/users/{APP}")["tags"] == []
    before = broker.user, broker.password
    broker.user, broker.password = APP, PASSWORD
    try:
        with pytest.raises(HTTPError, match="401"):
            broker.ask("GET", "/api/users")
    finally:
        broker.user, broker.password = before


def test_another_password_takes_the_place_of_the_one_before(broker: ManagedRabbitmq, tmp_path: Path) -> None:
    run_job(broker, tmp_path, NEXT)
    assert exchanged(broker, NEXT) == b"order"
    with pytest.raises(aiormq.exceptions.AMQPError):
        exchanged(broker, PASSWORD)
    run_job(broker, tmp_path, PASSWORD)


def test_a_broker_that_refuses_the_administrator_fails_the_job(broker: ManagedRabbitmq, tmp_path: Path) -> None:
    right, broker.password = broker.password, "wrong"
    try:
        with pytest.raises(subprocess.CalledProcessError):
            run_job(broker, tmp_path, NEXT)
    finally:
        broker.password = right
    assert exchanged(broker, PASSWORD) == b"order"
