"""What users rely on of the gateway."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
import yaml
from cryptography.x509 import load_pem_x509_certificates

from components.workload import Gateway, GatewayArgs, GatewayDatabase, Place
from components.workload.gateway_configuration import ALIVE, declaration, hidden
from components.workload.pods import from_secret, scratch
from settings import GatewaySettings
from tests.unit.programs import files_of, shipped
from tests.unit.recording import Recorded, Recording, record

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
JOB = "kubernetes:batch/v1:Job"
SERVICE = "kubernetes:core/v1:Service"


def gateway(*, signed: bool = False, username: str = "kong", **settings: Any) -> Recording:
    def build() -> None:
        options = pulumi.ResourceOptions(provider=kubernetes.Provider("kubernetes"))
        database = GatewayDatabase(
            "database.shop.svc",
            5432,
            from_secret("login", f"{username}-login"),
            username,
            authorities=scratch("authorities", 1) if signed else None,
        )
        args = GatewayArgs(GatewaySettings(**settings), Place("shop", "critical"), database, "app.shop.svc", 8000)
        Gateway("auterity-test", args, options)

    return record(build)


def pod(found: Recorded) -> dict[str, Any]:
    spec: dict[str, Any] = found.inputs["spec"]["template"]["spec"]
    return spec


def containers(found: Recorded) -> list[dict[str, Any]]:
    return [*(pod(found).get("initContainers") or ()), *pod(found)["containers"]]


def kong(recording: Recording) -> dict[str, Any]:
    [container] = pod(recording.only(DEPLOYMENT))["containers"]
    assert isinstance(container, dict)
    return container


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container["env"]}


def work(recording: Recording, what: str) -> Recorded:
    return recording.named(f"auterity-test-gateway-{what}", JOB)


def stated(**settings: Any) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(declaration(GatewaySettings(**settings), "app.shop.svc", 8000))
    return document


def plugin(name: str, **settings: Any) -> dict[str, Any]:
    [found] = [p["config"] for p in stated(**settings)["plugins"] if p["name"] == name]
    assert isinstance(found, dict)
    return found


def test_every_kong_opens_its_admin_api_on_the_loopback_address_alone() -> None:
    recording = gateway()
    found = [kong(recording), *pod(work(recording, "configure"))["initContainers"]]
    for container in found:
        listens = environment(container)["KONG_ADMIN_LISTEN"].split(",")
        assert [address.strip().split(":")[0] for address in listens] == ["127.0.0.1", "127.0.0.1"]


@pytest.mark.parametrize("port", [8001, 8444])
def test_no_service_and_no_container_port_leads_to_the_admin_api(port: int) -> None:
    recording = gateway()
    assert port not in [p["containerPort"] for p in kong(recording)["ports"]]
    assert port not in [p["port"] for p in recording.only(SERVICE).inputs["spec"]["ports"]]


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_no_network_policy_opens_the_admin_api(stack: str) -> None:
    policies = shipped(stack).of_type("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    rules = [rule for p in policies for rule in p.inputs["spec"].get("ingress", ())]
    ports = {port["port"] for rule in rules for port in rule["ports"]}
    assert ports
    assert not ports & {8001, 8444}


def test_requests_come_in_on_the_documented_ports() -> None:
    assert {p["port"] for p in gateway().only(SERVICE).inputs["spec"]["ports"]} == {8000, 8443}


def test_copies_are_replaced_one_at_a_time_with_the_documented_pause() -> None:
    spec = gateway().only(DEPLOYMENT).inputs["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert spec["minReadySeconds"] == 10


def test_tables_are_migrated_before_the_rollout_and_old_ones_go_after_it() -> None:
    recording = gateway()
    migrate, deployment = work(recording, "migrate"), recording.only(DEPLOYMENT)
    assert migrate.urn in deployment.depends_on
    assert deployment.urn in work(recording, "finish").depends_on
    assert pod(work(recording, "finish"))["containers"][0]["args"] == ["kong", "migrations", "finish"]


def test_the_declaration_is_handed_over_to_a_kong_beside_the_tool() -> None:
    spec = pod(work(gateway(), "configure"))
    [kong] = spec["initContainers"]
    assert kong["restartPolicy"] == "Always"
    assert environment(kong)["KONG_PROXY_LISTEN"] == "off"
    assert spec["containers"][0]["args"][-1] == "http://127.0.0.1:8001"


def test_another_declaration_is_another_job_and_the_same_one_is_the_same() -> None:
    def name(**settings: Any) -> str:
        return str(work(gateway(**settings), "configure").inputs["metadata"]["name"])

    assert name() == name()
    assert name() != name(requests_per_minute=7)


def test_a_change_of_the_declaration_migrates_nothing_again() -> None:
    def name(**settings: Any) -> str:
        return str(work(gateway(**settings), "migrate").inputs["metadata"]["name"])

    assert name() == name(requests_per_minute=7)


def test_the_password_is_read_from_a_file() -> None:
    variables = environment(kong(gateway()))
    assert variables["KONG_PG_PASSWORD_FILE"] == "/run/secrets/database/password"
    assert "KONG_PG_PASSWORD" not in variables


def test_another_login_replaces_the_copies_user_and_password_at_once() -> None:
    spec = pod(gateway(username="kong_alternate").only(DEPLOYMENT))
    assert environment(spec["containers"][0])["KONG_PG_USER"] == "kong_alternate"
    assert {"name": "login", "secret": {"defaultMode": 0o440, "secretName": "kong_alternate-login"}} in spec["volumes"]


def test_a_database_outside_the_cluster_is_reached_by_tls_that_is_verified() -> None:
    recording = gateway(signed=True)
    for found in (recording.only(DEPLOYMENT), *recording.of_type(JOB)):
        for container in containers(found):
            if container["image"].startswith("kong:"):
                assert environment(container)["KONG_PG_SSL_VERIFY"] == "on"


def test_no_release_of_the_app_is_a_release_of_the_gateway() -> None:
    recording = shipped("prod")
    work = [job for job in recording.of_type(JOB) if "-gateway-" in job.name]
    images = [
        c["image"] for found in (recording.named("auterity-prod-gateway", DEPLOYMENT), *work) for c in containers(found)
    ]
    assert len(images) > 5
    assert not [image for image in images if "/app" in image]


def test_the_authorities_of_the_stacks_region_are_an_object_of_their_own() -> None:
    recording = shipped("prod")
    bundle = recording.named("auterity-prod-database-authorities").inputs["data"]["bundle.pem"]
    names = [one.subject.rfc4514_string() for one in load_pem_x509_certificates(bundle.encode())]
    assert len(names) == 3
    assert all("Amazon RDS us-east-1 Root CA" in name for name in names)
    volumes = pod(recording.named("auterity-prod-gateway", DEPLOYMENT))["volumes"]
    assert {"name": "authorities", "configMap": {"name": "auterity-gateway-database-authorities"}} in volumes


def test_every_pod_gives_up_every_privilege() -> None:
    recording = gateway(signed=True)
    for found in (recording.only(DEPLOYMENT), *recording.of_type(JOB)):
        spec = pod(found)
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        for container in containers(found):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_copy_takes_no_requests_before_its_routes_are_loaded() -> None:
    # Kong loads them before nginx answers anything.
    recording = gateway()
    assert kong(recording)["readinessProbe"]["httpGet"]["path"] == ALIVE
    assert environment(kong(recording))["KONG_NGINX_STATUS_INCLUDE"] == "/etc/auterity-nginx/status.conf"
    assert f"location = {ALIVE} " in files_of(recording, "auterity-gateway-status")["status.conf"]


def test_limits_are_what_the_settings_say() -> None:
    assert plugin("rate-limiting", requests_per_minute=60)["minute"] == 60
    assert plugin("request-size-limiting", body_limit_mib=3)["allowed_payload_size"] == 3
    assert environment(kong(gateway(body_limit_mib=3)))["KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE"] == "3m"
    [service] = stated(timeout_seconds=5)["services"]
    assert service["read_timeout"] == service["write_timeout"] == 5000


def test_every_request_has_an_id_and_is_counted() -> None:
    assert plugin("correlation-id")["echo_downstream"] is True
    assert plugin("prometheus")["latency_metrics"] is True


@pytest.mark.parametrize(
    ("asked", "seen"),
    [("/metrics", False), ("/metrics/", False), ("/readyz/x", False), ("/metricsfoo", True), ("/orders", True)],
)
def test_what_is_for_the_platform_alone_is_hidden_with_all_below_it(asked: str, seen: bool) -> None:
    [route] = [r for r in stated()["services"][0]["routes"] if r["name"] == "hidden"]
    assert route["plugins"][0]["config"]["status_code"] == 404
    assert any(re.match(path.removeprefix("~"), asked) for path in route["paths"]) != seen


def test_a_dot_in_a_hidden_path_is_no_wildcard() -> None:
    assert not re.match(hidden("/a.b"), "/axb")


def test_who_may_say_where_a_request_comes_from_is_never_everyone() -> None:
    with pytest.raises(ValueError, match="trusted_proxies"):
        GatewaySettings(trusted_proxies=(IPv4Network("0.0.0.0/0"),))


def test_what_takes_requests_shows_nobody_which_release_it_is() -> None:
    assert environment(kong(gateway()))["KONG_HEADERS"] == "off"
