"""A real server loads exactly what the cluster's ConfigMap and Secrets hold; only paths and ports are overridden.

It is RabbitMQ 3.10 from Debian: what it cannot show is in docs/components/workload.md.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator

import aio_pika
import httpx2
import pytest
from aiormq.exceptions import ProbableAuthenticationError

from components.workload.queue import COOKIE, DATA, DEFINITIONS, LIMITS, METRICS_PORT, NAME, PORT, PREPARE, USERNAME
from tests.real.services import Rabbitmq, _running, free_port
from tests.unit.programs import object_of, shipped

SECRET = "kubernetes:core/v1:Secret"


class ShippedQueue(Rabbitmq):
    """The local stack's broker."""

    def prepare(self) -> None:
        stack = shipped("local")
        files = stack.named("auterity-local-queue", "kubernetes:core/v1:ConfigMap").inputs["data"]
        defined = stack.named("auterity-local-queue-definitions", SECRET).inputs["stringData"]
        self.password = stack.named("auterity-local-queue-login", SECRET).inputs["stringData"]["password"]
        self.metrics_port = free_port()
        places = {
            f"listeners.tcp.default = {PORT}": f"listeners.tcp.1 = {self.host}:{self.port}",
            f"prometheus.tcp.port = {METRICS_PORT}": f"prometheus.tcp.port = {self.metrics_port}",
            DEFINITIONS: str(self.directory),
        }
        configuration = files["rabbitmq.conf"]
        for shipped_place, place in places.items():
            assert shipped_place in configuration
            configuration = configuration.replace(shipped_place, place)
        self.write("rabbitmq.conf", configuration)
        self.write("enabled_plugins", files["enabled_plugins"])
        self.write("definitions.json", defined["definitions.json"])
        # What the pod's first container does, on the volume that is there.
        self.write("cookie", "cookie")
        self.limits = self.directory / "limits"
        script = PREPARE.replace(COOKIE, str(self.directory)).replace(LIMITS, str(self.limits))
        self.run(["sh", "-ec", script.replace(DATA, str(self.directory))])
        # The cluster's DNS knows a copy that is not ready only where the Service says so; the node asks for its own
        # name before it is ready.
        pod = object_of(stack, "kubernetes:apps/v1:StatefulSet", NAME).inputs["spec"]
        service = object_of(stack, "kubernetes:core/v1:Service", pod["serviceName"]).inputs["spec"]
        self.name = f"{NAME}-0.{pod['serviceName']}.auterity.svc"
        known = f'{{host, {{127,0,0,1}}, ["{self.name}"]}}.\n' if service.get("publishNotReadyAddresses") else ""
        self.write("inetrc", f'{{lookup, [file]}}.\n{{file, hosts, "/dev/null"}}.\n{known}')

    def node(self) -> dict[str, str]:
        return {
            **super().node(),
            "RABBITMQ_NODENAME": f"rabbit@{self.name}",
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_CONFIG_FILES": str(self.limits),
            "ERL_INETRC": str(self.directory / "inetrc"),
        }

    def url(self, username: str, password: str) -> str:
        return f"amqp://{username}:{password}@{self.host}:{self.port}/"


@pytest.fixture(scope="module")
def server() -> Iterator[ShippedQueue]:
    yield from _running(ShippedQueue)


def test_a_node_starts_though_its_name_resolves_only_as_its_service_says(server: ShippedQueue) -> None:
    assert server.ready()


def test_the_workloads_user_declares_a_quorum_queue_and_gets_back_what_it_sends(server: ShippedQueue) -> None:
    async def exchanged() -> bytes:
        async with await aio_pika.connect(server.url(USERNAME, server.password)) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("orders", durable=True, arguments={"x-queue-type": "quorum"})
            await channel.default_exchange.publish(aio_pika.Message(b"order"), "orders")
            message = await queue.get(timeout=30)
            await message.ack()
            return message.body

    assert asyncio.run(exchanged()) == b"order"


@pytest.mark.parametrize(("username", "password"), [("guest", "guest"), (USERNAME, "wrong")])
def test_nobody_else_gets_in_and_there_is_no_guest(server: ShippedQueue, username: str, password: str) -> None:
    async def sign_in() -> None:
        await aio_pika.connect(server.url(username, password))

    with pytest.raises(ProbableAuthenticationError):
        asyncio.run(sign_in())


def test_figures_are_shown_to_prometheus(server: ShippedQueue) -> None:
    answer = httpx2.get(f"http://{server.host}:{server.metrics_port}/metrics", timeout=10)
    assert "rabbitmq_identity_info" in answer.text


def test_publishers_wait_once_a_tenth_of_the_volume_that_is_there_is_left(server: ShippedQueue) -> None:
    answer = httpx2.get(f"http://{server.host}:{server.metrics_port}/metrics", timeout=10)
    [limit] = re.findall(r"^rabbitmq_disk_space_available_limit_bytes (\S+)", answer.text, re.MULTILINE)
    assert float(limit) == pytest.approx(shutil.disk_usage(server.directory).total / 10, rel=0.01)


def test_a_message_that_nobody_takes_is_given_up_as_the_policy_says(server: ShippedQueue) -> None:
    async def deliveries() -> int:
        async with await aio_pika.connect(server.url(USERNAME, server.password)) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("refused", durable=True, arguments={"x-queue-type": "quorum"})
            await channel.default_exchange.publish(aio_pika.Message(b"poison"), "refused")
            count = 0
            while (message := await queue.get(fail=False, timeout=30)) is not None:
                count += 1
                await message.nack(requeue=True)
            return count

    # The first delivery, and twenty more.
    assert asyncio.run(deliveries()) == 21
