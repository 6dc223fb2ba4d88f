"""Cases of the rules of pods, in every kind of workload and every list of containers."""

from __future__ import annotations

from typing import Any

from tests.policies.cases.model import Case, Later, Made, breaks, keeps

DIGEST = "sha256:" + "0123456789abcdef" * 4
CONTAINER: dict[str, Any] = {
    "name": "app",
    "image": "registry.k8s.io/pause:3.10",
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}},
    "readinessProbe": {"tcpSocket": {"port": 80}},
    "livenessProbe": {"tcpSocket": {"port": 80}},
}
POD: dict[str, Any] = {
    "serviceAccountName": "app",
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
}


def container(**changes: Any) -> dict[str, Any]:
    """Return a good container with some changes; None takes a field away."""
    merged = {**CONTAINER, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def secured(**changes: Any) -> dict[str, Any]:
    return container(securityContext={**CONTAINER["securityContext"], **changes})


def pod(*containers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**POD, "containers": list(containers or (container(),)), **changes}


def metadata(**more: Any) -> dict[str, Any]:
    return {"namespace": "shop", **more}


LABELS = {"app": "shop"}


def template(spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"labels": LABELS}, "spec": spec}


def deployment(spec: dict[str, Any] | None = None, **changes: Any) -> Made:
    return Made(
        "kubernetes:apps/v1:Deployment",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(),
            "spec": {"selector": {"matchLabels": LABELS}, "template": template(spec or pod()), **changes},
        },
    )


def bare(spec: dict[str, Any]) -> Made:
    return Made(
        "kubernetes:core/v1:Pod",
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata(labels=LABELS), "spec": spec},
    )


def job(spec: dict[str, Any]) -> Made:
    return Made(
        "kubernetes:batch/v1:Job",
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": metadata(),
            "spec": {"template": template({"restartPolicy": "Never", **spec})},
        },
    )


def cron_job(spec: dict[str, Any]) -> Made:
    inner = {"template": template({"restartPolicy": "Never", **spec})}
    return Made(
        "kubernetes:batch/v1:CronJob",
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": metadata(),
            "spec": {"schedule": "0 * * * *", "jobTemplate": {"spec": inner}},
        },
    )


def set_of(kind: str, spec: dict[str, Any]) -> Made:
    more = {"serviceName": "shop"} if kind == "StatefulSet" else {}
    return Made(
        f"kubernetes:apps/v1:{kind}",
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": metadata(),
            "spec": {"selector": {"matchLabels": LABELS}, "template": template(spec), **more},
        },
    )


def pod_rule(name: str, *wrong: dict[str, Any]) -> list[Case]:
    """Each of some pods breaks a rule; a good one keeps it."""
    return [
        *(breaks(name, f"{number}", app=deployment(each)) for number, each in enumerate(wrong)),
        keeps(name, "good", app=deployment()),
    ]


ROOT = "kubernetes-pod-not-root"
IMAGES = "kubernetes-pod-images"
OFF = {**POD["securityContext"], "runAsNonRoot": False}

BOUNDS = "kubernetes-limit-range-fits"


def config_map(**data: str) -> Made:
    return Made("kubernetes:core/v1:ConfigMap", {"metadata": {"name": "config", "namespace": "shop"}, "data": data})


def bounds(namespace: str) -> Made:
    limits = [{"type": "Container", "default": {"memory": "256Mi"}}]
    where = {"name": "defaults", "namespace": namespace}
    return Made("kubernetes:core/v1:LimitRange", {"metadata": where, "spec": {"limits": limits}})


def within(namespace: str, one: dict[str, Any]) -> Made:
    app = deployment(pod(one))
    return Made(app.type, {**app.properties, "metadata": metadata(namespace=namespace)})


def asking(memory: str, limit: str = "") -> dict[str, Any]:
    resources = {"requests": {"cpu": "1", "memory": memory}, "limits": {"memory": limit} if limit else {}}
    return container(resources=resources)


CASES: tuple[Case, ...] = (
    *pod_rule(
        "kubernetes-pod-shares-nothing-of-its-node",
        pod(hostNetwork=True),
        pod(hostPID=True),
        pod(hostIPC=True),
        pod(container(ports=[{"containerPort": 80, "hostPort": 80}])),
    ),
    *pod_rule("kubernetes-pod-volumes", pod(volumes=[{"name": "x", "hostPath": {"path": "/"}}])),
    keeps(
        "kubernetes-pod-volumes",
        "claims and files",
        app=deployment(pod(volumes=[{"name": "x", "emptyDir": {}}, {"name": "y", "secret": {"secretName": "y"}}])),
    ),
    *pod_rule(
        "kubernetes-pod-unprivileged",
        pod(secured(privileged=True)),
        pod(secured(allowPrivilegeEscalation=True)),
        pod(secured(capabilities={"drop": ["NET_RAW"]})),
        pod(secured(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]})),
        pod(container(securityContext=None)),
        pod(container(), initContainers=[secured(privileged=True)]),
    ),
    keeps(
        "kubernetes-pod-unprivileged",
        "low ports",
        app=deployment(pod(secured(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}))),
    ),
    *pod_rule(ROOT, pod(securityContext=None), pod(secured(runAsNonRoot=False)), pod(secured(runAsUser=0))),
    keeps(ROOT, "of the container's own", app=deployment(pod(secured(runAsNonRoot=True), securityContext=OFF))),
    breaks(ROOT, "pod", pod=bare(pod(securityContext=OFF))),
    breaks(ROOT, "job", job=job(pod(securityContext=OFF))),
    breaks(ROOT, "cron job", job=cron_job(pod(securityContext=OFF))),
    breaks(ROOT, "stateful set", app=set_of("StatefulSet", pod(securityContext=OFF))),
    breaks(ROOT, "daemon set", app=set_of("DaemonSet", pod(securityContext=OFF))),
    *pod_rule(
        "kubernetes-pod-seccomp",
        pod(securityContext={"runAsNonRoot": True}),
        pod(secured(seccompProfile={"type": "Unconfined"})),
    ),
    *pod_rule(
        "kubernetes-pod-kernel-defaults",
        pod(securityContext={**POD["securityContext"], "sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
        pod(secured(seLinuxOptions={"type": "spc_t"})),
        pod(secured(appArmorProfile={"type": "Unconfined"})),
    ),
    *pod_rule("kubernetes-pod-read-only-root", pod(secured(readOnlyRootFilesystem=False))),
    *pod_rule(
        "kubernetes-pod-resources",
        pod(container(resources=None)),
        pod(container(resources={"requests": {"cpu": "10m"}, "limits": {"memory": "16Mi"}})),
        pod(container(resources={"requests": {"cpu": "10m", "memory": "16Mi"}})),
        pod(container(), initContainers=[container(resources=None)]),
    ),
    *pod_rule("kubernetes-pod-probes", pod(container(readinessProbe=None)), pod(container(livenessProbe=None))),
    keeps("kubernetes-pod-probes", "a job ends", job=job(pod(container(readinessProbe=None, livenessProbe=None)))),
    *pod_rule(
        IMAGES,
        pod(container(image="nginx")),
        pod(container(image="nginx:latest")),
        pod(container(image="localhost:5000/nginx")),
        pod(container(), ephemeralContainers=[container(name="debug", image="busybox")]),
    ),
    *(
        breaks(IMAGES, f"a tag that moves: {name}", app=deployment(pod(container(image=name))))
        for name in ("kong:3", "node:lts", "app:dev", "host:5000/app")
    ),
    breaks(IMAGES, "later", open=("app",), app=deployment(pod(container(image=Later("nginx:latest"))))),
    keeps(IMAGES, "digest", app=deployment(pod(container(image=f"localhost:5000/nginx@{DIGEST}")))),
    *pod_rule(
        "kubernetes-pod-secrets-as-files",
        pod(container(env=[{"name": "X", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}])),
        pod(container(envFrom=[{"secretRef": {"name": "x"}}])),
    ),
    breaks(
        "kubernetes-pod-no-secrets-in-environment",
        "a password in a URL",
        app=deployment(pod(container(env=[{"name": "QUEUE", "value": "amqp://app:hunter2@mq:5672"}]))),
    ),
    keeps(
        "kubernetes-pod-no-secrets-in-environment",
        "a URL that a file's password is put into",
        app=deployment(pod(container(env=[{"name": "QUEUE", "value": "amqp://app:$(PASSWORD)@mq:5672"}]))),
    ),
    breaks(
        "kubernetes-pod-no-secrets-in-environment",
        "by its name, and not known yet",
        app=deployment(pod(container(env=[{"name": "DB_PASSWORD", "value": Later("hunter2")}]))),
    ),
    breaks(
        "kubernetes-config-map-no-secrets",
        "a URL",
        config=config_map(a="1", b="url: redis://default:hunter2@cache:6379"),
    ),
    breaks("kubernetes-config-map-no-secrets", "a key", config=config_map(a="-----BEGIN PRIVATE KEY-----")),
    keeps("kubernetes-config-map-no-secrets", "none", config=config_map(a="redis://cache:6379", b="x")),
    breaks(BOUNDS, "one asks for more", "bounds", bounds=bounds("one"), app=within("one", asking("1Gi"))),
    keeps(BOUNDS, "with a limit of its own", bounds=bounds("two"), app=within("two", asking("1Gi", "2Gi"))),
    keeps(BOUNDS, "none asks for more", bounds=bounds("three"), app=within("three", asking("256Mi"))),
    keeps(BOUNDS, "elsewhere", bounds=bounds("four"), app=within("five", asking("1Gi"))),
)
