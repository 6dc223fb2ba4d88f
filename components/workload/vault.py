"""The secrets manager in the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.app import NAME as APP
from components.workload.certificates import ServerCertificate, server_certificate
from components.workload.exporters import METRICS
from components.workload.hardening import container_security
from components.workload.login import secret_of
from components.workload.pods import (
    Place,
    Pod,
    about,
    account_of,
    digest,
    environment_of,
    from_config_map,
    from_secret,
    host_of,
    name_of,
    own_name,
    probe,
    read_only,
    resources,
    scratch,
    writable,
)
from components.workload.rights import bind
from components.workload.stateful import READY, Keeping, keep
from components.workload.vault_configuration import (
    AUDIENCE,
    CLUSTER_PORT,
    CONFIGURATION,
    DATA,
    PORT,
    TLS,
    KmsSeal,
    add_administrator,
    server_configuration,
    set_up,
)
from settings.vault import VaultSettings

core = kubernetes.core.v1

NAME = "auterity-vault"
"""Name of the StatefulSet and of all that belongs to it."""

USER = 100
"""User ``vault`` in the image."""

HEALTH = "/v1/sys/health?standbyok=true&perfstandbyok=true&uninitcode=204"
"""Where a server says how it is: 200 also for one that stands by, 204 for one that nobody has initialised yet."""

ALIVE = f"{HEALTH}&sealedcode=204&haunhealthycode=204&removedcode=204"
"""Where it says that it lives: also sealed, cut off from the active server (474 else, since Vault 1.19) or removed from
the cluster (530); a restart would mend none of these (https://developer.hashicorp.com/vault/api-docs/system/health).
"""

TOKEN_SECONDS = 3600
"""Seconds that a token is good for by which a workload signs in; the kubelet renews it in time."""


def signing_in(name: str, authority: pulumi.Input[str]) -> core.VolumeArgs:
    """Offer what a workload signs in with: ``token``, of its service account and for Vault alone, and ``ca.crt``.

    Args:
        name: name of the volume.
        authority: name of the ConfigMap with ``ca.crt``.
    """
    token = core.ServiceAccountTokenProjectionArgs(audience=AUDIENCE, expiration_seconds=TOKEN_SECONDS, path="token")
    sources = [
        core.VolumeProjectionArgs(service_account_token=token),
        core.VolumeProjectionArgs(config_map=core.ConfigMapProjectionArgs(name=authority)),
    ]
    return core.VolumeArgs(name=name, projected=core.ProjectedVolumeSourceArgs(sources=sources, default_mode=0o440))


@dataclass(frozen=True)
class VaultArgs:
    """What Vault needs to know.

    Attributes:
        settings: the stack's ``vault`` section.
        place: where it runs.
        seal: the key that opens it; None where people do.
        after: what must stand before the first server starts, and no value carries: its rights in AWS.
    """

    settings: VaultSettings
    place: Place
    seal: pulumi.Input[KmsSeal] | None = None
    after: Sequence[pulumi.Resource] = ()


class Vault(pulumi.ComponentResource):
    """Vault servers that keep their data together (Raft), speak TLS alone and, on AWS, open themselves by a KMS key.

    It starts uninitialised: keys and first token are for people, and are nowhere in the stack.
    """

    host: pulumi.Output[str]
    """Host name inside the cluster."""

    port: int
    """TCP port of the API."""

    authority: pulumi.Output[str]
    """Name of the ConfigMap whose ``ca.crt`` signed the servers' certificate."""

    certificate: ServerCertificate
    """The servers' certificate, and who vouches for it."""

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:Vault", name, None, opts)
        settings, place, own = args.settings, args.place, pulumi.ResourceOptions(parent=self)
        namespace = pulumi.Output.from_input(place.namespace)
        names = namespace.apply(
            lambda space: [f"{NAME}{READY}.{space}.svc", f"{NAME}.{space}.svc", f"*.{NAME}.{space}.svc", "localhost"]
        )
        certificate = server_certificate(f"{name}-vault", NAME, names, settings.certificate_days, own)
        secured = secret_of(
            f"{name}-vault-tls",
            NAME,
            "-tls",
            place,
            {"ca.crt": certificate.authority, "tls.crt": certificate.certificate, "tls.key": certificate.key},
            own,
        )
        authority = core.ConfigMap(
            f"{name}-vault-authority",
            metadata=about(NAME, place, "-authority"),
            data={"ca.crt": certificate.authority},
            opts=own,
        )
        stated = pulumi.Output.all(namespace, args.seal).apply(
            lambda given: server_configuration(
                [f"{NAME}-{number}.{NAME}.{given[0]}.svc" for number in range(settings.copies)],
                given[1],
                break_glass=settings.break_glass,
            )
        )
        if settings.break_glass:
            pulumi.log.warn("vault.break_glass is on: whoever reaches Vault may start or cancel a root token", self)
        configuration = core.ConfigMap(
            f"{name}-vault",
            metadata=about(NAME, place),
            data={
                "vault.json": stated,
                "set-up.sh": namespace.apply(lambda space: set_up(space, APP)),
                "administrator.sh": add_administrator(),
            },
            opts=own,
        )
        account = account_of(f"{name}-vault", NAME, place, own)
        # By it Vault asks whose token it is shown (Vault, 'Kubernetes auth method').
        bind(f"{name}-vault-reviews", f"{NAME}-reviews", "system:auth-delegator", NAME, place, own)
        pod = Pod(
            NAME,
            user=USER,
            account=account,
            containers=[self._server(settings)],
            volumes=[from_config_map("configuration", configuration), from_secret("tls", secured), scratch("home", 16)],
            # Both are read at the start alone.
            configured_by={
                "configuration": stated.apply(digest),
                "certificate": certificate.certificate.apply(digest),
            },
            stop_seconds=60,
            spread=settings.copies > 1,
            # By it Vault asks the API server whose token a workload shows.
            token=True,
        )
        later = pulumi.ResourceOptions(parent=self, depends_on=list(args.after))
        keeping = Keeping({"api": PORT, "cluster": CLUSTER_PORT}, settings.storage_gib, settings.copies, together=True)
        self.host = host_of(keep(f"{name}-vault", keeping, pod, place, later))
        self.port = PORT
        self.authority = name_of(authority)
        self.certificate = certificate
        self.register_outputs({"host": self.host, "port": self.port, "authority": self.authority})

    def _server(self, settings: VaultSettings) -> core.ContainerArgs:
        def answers(path: str) -> core.HTTPGetActionArgs:
            return core.HTTPGetActionArgs(path=path, port=METRICS, scheme="HTTPS")

        itself = f"$(POD_NAME).{NAME}.$(POD_NAMESPACE).svc"
        return core.ContainerArgs(
            name="vault",
            image=image("vault"),
            command=["vault", "server", f"-config={CONFIGURATION}/vault.json"],
            env=[
                *own_name(),
                *environment_of(
                    {
                        "VAULT_RAFT_NODE_ID": "$(POD_NAME)",
                        "VAULT_API_ADDR": f"https://{itself}:{PORT}",
                        "VAULT_CLUSTER_ADDR": f"https://{itself}:{CLUSTER_PORT}",
                        # For whoever works inside the container.
                        "VAULT_ADDR": f"https://127.0.0.1:{PORT}",
                        "VAULT_CACERT": f"{TLS}/ca.crt",
                        "HOME": "/home/vault",
                    }
                ),
            ],
            ports=[
                # Prometheus reads its figures at /v1/sys/metrics?format=prometheus, by TLS.
                core.ContainerPortArgs(name=METRICS, container_port=PORT),
                core.ContainerPortArgs(name="cluster", container_port=CLUSTER_PORT),
            ],
            resources=resources(settings.cpu_request_millis, settings.memory_mib),
            startup_probe=probe(answers(ALIVE), 2, 60),
            # A server that is sealed has nothing to say; killing it would not open it.
            readiness_probe=probe(answers(HEALTH), 5, 2),
            liveness_probe=probe(answers(ALIVE), 10, 6),
            security_context=container_security(),
            volume_mounts=[
                read_only("configuration", CONFIGURATION),
                read_only("tls", TLS),
                writable("data", DATA),
                writable("home", "/home/vault"),
            ],
        )
