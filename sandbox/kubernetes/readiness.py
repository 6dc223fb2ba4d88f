"""When an object does what it is there for, and what keeps it from that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.kubernetes.api import Api, Object

Verdict = tuple[bool, str]
"""Whether an object is ready, and else why not."""


class Failed(Exception):  # noqa: N818 - an answer, turned into an error of the provider
    """The object will never be ready."""


def verdict(api: Api, thing: Object) -> Verdict:
    """Judge an object as it is.

    Raises:
        Failed: it will never be ready; the message says why.
    """
    judge = JUDGES.get(thing["kind"])
    return judge(api, thing) if judge else (True, "")


def _conditions(thing: Object) -> dict[str, Any]:
    return {c["type"]: c for c in thing.get("status", {}).get("conditions", [])}


def _observed(thing: Object) -> bool:
    return bool(thing.get("status", {}).get("observedGeneration", 0) >= thing["metadata"].get("generation", 0))


def _deployment(_: Api, thing: Object) -> Verdict:
    status, wanted = thing.get("status", {}), thing["spec"].get("replicas", 1)
    progressing = _conditions(thing).get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        raise Failed(progressing.get("message", "its progress deadline is exceeded"))
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    ready = _observed(thing) and updated == wanted and available >= wanted and status.get("replicas", 0) == wanted
    return ready, f"{available} of {wanted} replicas are available, {updated} of the new template"


def _stateful_set(_: Api, thing: Object) -> Verdict:
    status, wanted = thing.get("status", {}), thing["spec"].get("replicas", 1)
    ready = status.get("readyReplicas", 0)
    current = status.get("currentRevision") == status.get("updateRevision")
    return _observed(thing) and ready == wanted and current, f"{ready} of {wanted} replicas are ready"


def _daemon_set(_: Api, thing: Object) -> Verdict:
    status = thing.get("status", {})
    wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    updated = status.get("updatedNumberScheduled", 0)
    return _observed(thing) and wanted == ready == updated, f"{ready} of {wanted} pods are ready"


def _job(_: Api, thing: Object) -> Verdict:
    conditions = _conditions(thing)
    if conditions.get("Failed", {}).get("status") == "True":
        raise Failed(conditions["Failed"].get("message", "it failed"))
    return conditions.get("Complete", {}).get("status") == "True", "it is not complete"


def _pod(_: Api, thing: Object) -> Verdict:
    phase = thing.get("status", {}).get("phase")
    if phase == "Failed":
        raise Failed(thing["status"].get("message", "it failed"))
    ready = _conditions(thing).get("Ready", {}).get("status") == "True"
    return ready or phase == "Succeeded", f"its phase is {phase}"


def _service(_: Api, thing: Object) -> Verdict:
    wanted = thing["spec"].get("type") == "LoadBalancer"
    address = thing.get("status", {}).get("loadBalancer", {}).get("ingress")
    return not wanted or bool(address), "it has no address yet"


def _claim(api: Api, thing: Object) -> Verdict:
    phase = thing.get("status", {}).get("phase")
    waits = phase == "Pending" and api.storage_class_waits(thing["spec"].get("storageClassName"))
    return phase == "Bound" or waits, f"its phase is {phase}"


def _namespace(_: Api, thing: Object) -> Verdict:
    return thing.get("status", {}).get("phase") == "Active", "it is not active"


def _definition(_: Api, thing: Object) -> Verdict:
    return _conditions(thing).get("Established", {}).get("status") == "True", "it is not established"


JUDGES: dict[str, Callable[[Api, Object], Verdict]] = {
    "CustomResourceDefinition": _definition,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Job": _job,
    "Namespace": _namespace,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "Service": _service,
    "StatefulSet": _stateful_set,
}
"""Kind to its judge; any other kind is ready once it is there."""
