"""A PostgreSQL server inside a pod, for as long as the pod lives."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.hardening import container_security
from components.workload.pods import environment_of, from_secret, probe, read_only, resources, scratch, writable

core = kubernetes.core.v1
meta = kubernetes.meta.v1

SUPERUSER = "postgres"
"""Its superuser."""

SECRET = "/run/secrets/scratch"  # noqa: S105 (a path)
DATA, SOCKETS = "/data", "/var/run/postgresql"

MEMORY_MIB = 1024


def scratch_server() -> core.ContainerArgs:
    """Run it beside the pod's other containers, and before them: a sidecar ends with the pod
    (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/).
    """
    ready = core.ExecActionArgs(command=["pg_isready", "--quiet", "--host=127.0.0.1"])
    return core.ContainerArgs(
        name="scratch-server",
        image=image("postgres"),
        restart_policy="Always",
        # Nothing of it is kept: what a crash would lose does not matter.
        args=["postgres", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "full_page_writes=off"],
        env=environment_of({"PGDATA": f"{DATA}/pgdata", "POSTGRES_PASSWORD_FILE": f"{SECRET}/password"}),
        resources=resources(250, MEMORY_MIB),
        startup_probe=probe(ready, 2, 60),
        readiness_probe=probe(ready, 10, 3),
        liveness_probe=probe(ready, 30, 6),
        security_context=container_security(),
        volume_mounts=[
            read_only("scratch-login", SECRET),
            writable("scratch-data", DATA),
            writable("scratch-sockets", SOCKETS),
            writable("temporary", "/tmp"),  # noqa: S108 (a path in the container)
        ],
    )


def volumes(login: pulumi.Input[str], storage_gib: int) -> Sequence[core.VolumeArgs]:
    """Offer it its password, and room that goes with the pod.

    Args:
        login: name of the Secret with ``password``.
        storage_gib: size of its data in GiB.
    """
    claim = core.PersistentVolumeClaimTemplateArgs(
        spec=core.PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteOnce"],
            resources=core.VolumeResourceRequirementsArgs(requests={"storage": f"{storage_gib}Gi"}),
        )
    )
    return [
        from_secret("scratch-login", login),
        core.VolumeArgs(name="scratch-data", ephemeral=core.EphemeralVolumeSourceArgs(volume_claim_template=claim)),
        scratch("scratch-sockets", 1),
    ]
