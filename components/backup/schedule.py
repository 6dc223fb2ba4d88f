"""The jobs that back up, prune, rehearse and restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.backup.gcs import TOKEN
from components.backup.job_plan import KEY, LOGINS, PLAN, RABBITMQ, VAULT, BackupScheduleArgs, plan
from components.backup.names import ACCOUNTS, BACKUP, DRILL, PRUNE, RESTORE
from components.backup.scratch_server import SECRET as SCRATCH_LOGIN
from components.backup.scratch_server import SUPERUSER, scratch_server
from components.backup.scratch_server import volumes as scratch_volumes
from components.backup.target import Role
from components.workload.database_configuration import RESTORER
from components.workload.hardening import container_security
from components.workload.jobs import job
from components.workload.labels import labels
from components.workload.login import password_of, secret_of
from components.workload.pods import (
    TEMPORARY,
    Pod,
    about,
    account_of,
    digest,
    environment_of,
    from_config_map,
    from_secret,
    read_only,
    resources,
    scratch,
    writable,
)
from components.workload.vault import signing_in

core = kubernetes.core.v1
batch = kubernetes.batch.v1
meta = kubernetes.meta.v1

USER = 10001
"""User of the processes in the image."""

CACHE_MIB = 4096
"""Room for restic's cache of a repository's index, in MiB."""

TOKEN_SECONDS = 3600
"""Seconds that a token for Google is valid; the kubelet renews it."""

START_SECONDS = 3600
"""Seconds after its time in which a run may still start."""

ATTEMPTS = 3
"""Attempts of a run; the later ones do what the first has left."""


class BackupSchedule(pulumi.ComponentResource):
    """CronJobs that never overlap: one that adds, one that removes, one that rehearses, one that waits for people."""

    key: pulumi.Output[str]
    """Password of the repositories, secret: it has to be kept outside of the stack, too."""

    def __init__(self, name: str, args: BackupScheduleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:backup:BackupSchedule", name, None, opts)
        self._name, self._args, self._own = name, args, pulumi.ResourceOptions(parent=self)
        settings, place = args.settings, args.place
        self.key = password_of(f"{name}-backup-key", settings.key_version, self._own)
        self._key = secret_of(f"{name}-backup-key", BACKUP, "-key", place, {"password": self.key}, self._own)
        files: dict[str, pulumi.Input[str]] = {"plan.yaml": pulumi.Output.json_dumps(plan(args))}
        for target in args.targets:
            files.update(target.files)
        self._plan = core.ConfigMap(f"{name}-backup", metadata=about(BACKUP, place), data=files, opts=self._own)
        self._accounts = {
            role: account_of(f"{name}-backup-{role}", account, place, self._own) for role, account in ACCOUNTS.items()
        }
        made = self._initialize(files)
        self._cron(BACKUP, settings.schedule, self._backup(), made)
        self._cron(PRUNE, settings.prune_schedule, self._pod(PRUNE, "prune", ["prune"]), made)
        self._cron(DRILL, settings.drill_schedule, self._drill(), made)
        self._cron(RESTORE, settings.schedule, self._restore(), made, suspended=True)
        self.register_outputs({"key": self.key})

    def _initialize(self, files: Mapping[str, pulumi.Input[str]]) -> batch.Job:
        """Make the repositories where there are none: a run that did so would hide that one was lost."""
        named = pulumi.Output.all(self._args.image, *files.values()).apply(
            lambda texts: f"{BACKUP}-init-{digest(*map(str, texts))[:10]}"
        )
        after = [*self._args.after, *(each for target in self._args.targets for each in target.after)]
        pod = self._pod(BACKUP, "write", ["init"])
        opts = pulumi.ResourceOptions(parent=self, depends_on=after)
        return job(f"{self._name}-backup-init", named, pod, self._args.place, opts)

    def _cron(self, name: str, schedule: str, pod: Pod, after: pulumi.Resource, *, suspended: bool = False) -> None:
        settings, place = self._args.settings, self._args.place
        batch.CronJob(
            f"{self._name}-{name.removeprefix('auterity-')}",
            metadata=about(name, place),
            spec=batch.CronJobSpecArgs(
                schedule=schedule,
                time_zone=settings.time_zone,
                concurrency_policy="Forbid",
                starting_deadline_seconds=START_SECONDS,
                suspend=suspended,
                successful_jobs_history_limit=3,
                failed_jobs_history_limit=3,
                job_template=batch.JobTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels=labels(name)),
                    spec=batch.JobSpecArgs(
                        backoff_limit=0 if suspended else ATTEMPTS - 1,
                        active_deadline_seconds=settings.limit_hours * 3600,
                        template=pod.template(place),
                    ),
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[after]),
        )

    def _pod(
        self,
        name: str,
        role: Role,
        words: Sequence[pulumi.Input[str]],
        init: Sequence[core.ContainerArgs] = (),
        volumes: Sequence[core.VolumeArgs] = (),
        mounts: Sequence[core.VolumeMountArgs] = (),
    ) -> Pod:
        """Describe a pod of the operator's command. It stays when it has failed, with its log."""
        args = self._args
        # Whoever prunes or rehearses has no business in the databases.
        databases = args.databases if role == "write" else {}
        audiences = [target.token_audience for target in args.targets if target.token_audience is not None]
        container = core.ContainerArgs(
            name="backup",
            image=args.image,
            args=["backup", *words],
            env=[*environment_of({"AUTERITY_BACKUP_PLAN": f"{PLAN}/plan.yaml", **SURROUNDINGS}), run_name()],
            resources=resources(250, args.settings.memory_mib),
            security_context=container_security(),
            volume_mounts=[
                read_only("plan", PLAN),
                read_only("key", KEY),
                *(read_only(f"login-{database}", f"{LOGINS}/{database}") for database in databases),
                *([read_only("google", TOKEN.rpartition("/")[0])] if audiences else []),
                writable("temporary", TEMPORARY),
                *mounts,
            ],
        )
        return Pod(
            name,
            user=USER,
            account=self._accounts[role],
            init=init,
            containers=[container],
            volumes=[
                from_config_map("plan", self._plan),
                from_secret("key", self._key),
                *(database.login for database in databases.values()),
                *(google_token(audience) for audience in audiences),
                scratch("temporary", CACHE_MIB),
                *volumes,
            ],
            restart="Never",
            stop_seconds=60,
        )

    def _backup(self) -> Pod:
        """Dump the databases and, where they are wanted, Vault and RabbitMQ's definitions."""
        vault, rabbitmq = self._args.vault, self._args.rabbitmq
        volumes = [*([signing_in("vault", vault.authority)] if vault else []), *([rabbitmq.login] if rabbitmq else [])]
        mounts = [
            *([read_only("vault", VAULT)] if vault else []),
            *([read_only("rabbitmq", RABBITMQ)] if rabbitmq else []),
        ]
        return self._pod(BACKUP, "write", ["run", "--id", "$(RUN)"], volumes=volumes, mounts=mounts)

    def _drill(self) -> Pod:
        """Restore into a server of the pod's own, which production never meets."""
        own, place = self._own, self._args.place
        password = password_of(f"{self._name}-drill", 1, own)
        login = secret_of(f"{self._name}-drill", DRILL, "-login", place, {"password": password}, own)
        where = ["--host", "127.0.0.1", "--sslmode", "disable"]
        who = ["--user", SUPERUSER, "--password-file", f"{SCRATCH_LOGIN}/password"]
        return self._pod(
            DRILL,
            "read",
            ["drill", *where, *who],
            init=[scratch_server()],
            volumes=scratch_volumes(login, self._args.settings.drill_storage_gib),
            mounts=[read_only("scratch-login", SCRATCH_LOGIN)],
        )

    def _restore(self) -> Pod:
        """Restore the newest backup; people change the words before they start it."""
        first = next(iter(self._args.databases))
        reader, restorer = self._args.databases[first], self._args.restorer
        words = ["restore", "--target", self._args.targets[0].name]
        if restorer is None:
            who = ["--user", reader.user, "--password-file", f"{LOGINS}/{first}/password"]
            return self._pod(RESTORE, "write", [*words, *who])
        where = f"{LOGINS}/{RESTORER}"
        who = ["--no-roles", "--user", restorer.user, "--password-file", f"{where}/password"]
        login = read_only(f"login-{RESTORER}", where)
        return self._pod(RESTORE, "write", [*words, *who], volumes=[restorer.login], mounts=[login])


SURROUNDINGS = {"RESTIC_CACHE_DIR": f"{TEMPORARY}/restic", "HOME": TEMPORARY}


def run_name() -> core.EnvVarArgs:
    """Call a run by its Job: each attempt goes on with the same one."""
    path = "metadata.labels['batch.kubernetes.io/job-name']"
    source = core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path=path))
    return core.EnvVarArgs(name="RUN", value_from=source)


def google_token(audience: pulumi.Input[str]) -> core.VolumeArgs:
    """Offer a token of the pod's service account that Google takes."""
    projection = core.ServiceAccountTokenProjectionArgs(
        audience=audience, expiration_seconds=TOKEN_SECONDS, path=TOKEN.rpartition("/")[2]
    )
    source = core.VolumeProjectionArgs(service_account_token=projection)
    return core.VolumeArgs(
        name="google", projected=core.ProjectedVolumeSourceArgs(sources=[source], default_mode=0o440)
    )
