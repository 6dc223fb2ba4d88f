"""Kubernetes objects as rules see them: any API version of a kind, patches too, and one walk to every container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.resources import Resource, Stack
from policies.values import UndecidedError, Value


def kinds(*names: str) -> tuple[str, ...]:
    """Return the patterns of the type tokens of some kinds, of every API version, and of their patches."""
    return tuple(f"kubernetes:*:{name}{end}" for name in names for end in ("", "Patch"))


LASTING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")
WORKLOAD_KINDS = (*LASTING, "Pod", "PodTemplate", "Job", "CronJob")
WORKLOADS = kinds(*WORKLOAD_KINDS)
NAMESPACE = kinds("Namespace")
SERVICE = kinds("Service")
SERVICE_ACCOUNT = kinds("ServiceAccount")
SECRET = kinds("Secret")
CONFIG_MAP = kinds("ConfigMap")
LIMIT_RANGE = kinds("LimitRange")
NETWORK_POLICY = kinds("NetworkPolicy")
DISRUPTION_BUDGET = kinds("PodDisruptionBudget")
AUTOSCALER = kinds("HorizontalPodAutoscaler")
NAMESPACED = kinds(
    *WORKLOAD_KINDS,
    "ConfigMap",
    "Secret",
    "Service",
    "ServiceAccount",
    "Ingress",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
    "Role",
    "RoleBinding",
)
POD_SPECS: Mapping[str, str] = {
    "Pod": "spec",
    "PodTemplate": "template.spec",
    "CronJob": "spec.jobTemplate.spec.template.spec",
}
"""Where the specification of the pods is, where it is not in the template of the object's own."""

CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def kind(resource: Resource) -> str:
    """Return the kind of an object."""
    return resource.type.rsplit(":", 1)[-1].removesuffix("Patch")


def pod_spec(resource: Resource) -> Value:
    """Return the specification of a workload's pods."""
    return resource.at(POD_SPECS.get(kind(resource), "spec.template.spec"))


def pod_labels(resource: Resource) -> Value:
    """Return the labels of a workload's pods."""
    path = POD_SPECS.get(kind(resource), "spec.template.spec").removesuffix("spec") + "metadata.labels"
    return resource.at(path.lstrip("."))


@dataclass(frozen=True)
class Container:
    """A container of a workload.

    Attributes:
        value: what is said of it.
        pod: what is said of its pod.
        list: which of the three lists names it.
    """

    value: Value
    pod: Value
    list: str

    def security(self, key: str) -> Value:
        """Return a field of its own security context."""
        return self.value["securityContext"][key]

    def inherited(self, key: str) -> Value:
        """Return a field of its security context, else of its pod's."""
        own = self.security(key)
        return own if own.given else self.pod["securityContext"][key]


def containers(resource: Resource, *lists: str) -> Iterator[Container]:
    """List the containers of a workload, also those that start before the others or are added by hand."""
    pod = pod_spec(resource)
    if pod.unknown:
        raise UndecidedError(pod.path)
    for name in lists or CONTAINERS:
        for value in pod[name].items:
            yield Container(value, pod, name)


def namespace_of(stack: Stack, resource: Resource) -> str:
    """Return the name of an object's namespace, or the URN of one whose name is not known yet."""
    given = resource.at("metadata.namespace")
    if not given.unknown:
        return given.text or "default"
    return namespace_name(_namespace(stack, resource))


def _namespace(stack: Stack, resource: Resource) -> Resource:
    made = [each for each in stack.named(resource.dependencies.get("metadata", ())) if kind(each) == "Namespace"]
    if len(made) != 1:
        raise UndecidedError("metadata.namespace")
    return made[0]


def namespace_name(namespace: Resource) -> str:
    """Return the name of a namespace, or its URN while that is not known."""
    name = namespace.at("metadata.name")
    return namespace.urn if name.unknown else name.text or namespace.urn


def name_of(resource: Resource) -> str:
    """Return the name of an object, the logical one where the provider makes it. Raises UndecidedError."""
    return resource.at("metadata.name").text or resource.name


def selects(selector: Value, labels: Value) -> bool:
    """Say whether a label selector matches some labels. Raises UndecidedError."""
    has = labels.fields
    wanted = selector["matchLabels"].fields
    if any(key not in has or has[key].text != value.text for key, value in wanted.items()):
        return False
    for each in selector["matchExpressions"].items:
        label = has.get(each["key"].text)
        among = label is not None and label.text in [value.text for value in each["values"].items]
        holds = {
            "In": among,
            "NotIn": not among,
            "Exists": label is not None,
            "DoesNotExist": label is None,
        }
        if not holds.get(each["operator"].text, False):
            return False
    return True
