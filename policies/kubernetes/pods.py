"""Pods: the Pod Security Standards' level "restricted", and what the standards leave to others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from policies.credentials import given_away
from policies.images import exact, parted
from policies.kubernetes.objects import LASTING, WORKLOADS, Container, containers, kinds, pod_spec
from policies.resources import Resource
from policies.rules import SECURITY, Finding, Rule, Violation, resource_rule, unless
from policies.values import Value, each

HARMLESS_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
"""What the level "restricted" allows: https://kubernetes.io/docs/concepts/security/pod-security-standards/."""

SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


def container_rule(
    name: str, title: str, *standards: str, types: tuple[str, ...] = WORKLOADS, lists: tuple[str, ...] = ()
) -> Callable[[Callable[[Resource, Container], Iterator[Violation]]], Rule]:
    """Make a check of one container a rule of every container of every workload."""

    def make(check: Callable[[Resource, Container], Iterator[Violation]]) -> Rule:
        def of_all(resource: Resource) -> Iterator[Finding]:
            yield from each(containers(resource, *lists), lambda one: check(resource, one))

        return Rule(name, title, standards, types, SECURITY, of_all, of_stack=False)

    return make


@resource_rule(
    "kubernetes-pod-shares-nothing-of-its-node",
    "Pods use no network, process, memory or port of their node",
    "PSS restricted: Host Namespaces, Host Ports",
    "CIS Kubernetes 1.12 5.2.3, 5.2.4, 5.2.5, 5.2.13",
    "NSA C-0038, C-0041, C-0044",
    types=WORKLOADS,
)
def pod_shares_nothing(resource: Resource) -> Iterator[Finding]:
    pod = pod_spec(resource)
    shared = [pod[key] for key in ("hostNetwork", "hostPID", "hostIPC")]
    yield from each(shared, lambda value: unless(value.flag is not True, resource, value, "remove it"))
    ports = (port["hostPort"] for one in containers(resource) for port in one.value["ports"].items)
    yield from each(ports, lambda port: unless(not port.number, resource, port, "remove it and use a Service"))


@resource_rule(
    "kubernetes-pod-volumes",
    "Pods mount nothing of their node",
    "PSS restricted: Volume Types",
    "CIS Kubernetes 1.12 5.2.12",
    "NSA C-0045, C-0048",
    types=WORKLOADS,
)
def pod_volumes(resource: Resource) -> Iterator[Finding]:
    def check(volume: Value) -> Iterator[Violation]:
        wrong = sorted(key for key, value in volume.fields.items() if value.given and key not in HARMLESS_VOLUMES)
        wrong = [key for key in wrong if key != "name"]
        yield from unless(not wrong, resource, volume, "use a PersistentVolumeClaim", f"is of type {', '.join(wrong)}")

    yield from each(pod_spec(resource)["volumes"].items, check)


@container_rule(
    "kubernetes-pod-unprivileged",
    "Containers are not privileged, cannot become it, and have no capabilities but that of binding low ports",
    "PSS restricted: Privileged Containers, HostProcess, Privilege Escalation, Capabilities, /proc Mount Type",
    "CIS Kubernetes 1.12 5.2.2, 5.2.6, 5.2.8, 5.2.9, 5.2.11",
    "NSA C-0016, C-0046, C-0057",
)
def pod_unprivileged(resource: Resource, one: Container) -> Iterator[Violation]:
    privileged, escalation = one.security("privileged"), one.security("allowPrivilegeEscalation")
    yield from unless(privileged.flag is not True, resource, privileged, "set it to false")
    yield from unless(escalation.flag is False, resource, escalation, "set it to false")
    dropped, added = one.security("capabilities")["drop"], one.security("capabilities")["add"]
    yield from unless("ALL" in [each.text for each in dropped.items], resource, dropped, 'set it to ["ALL"]')
    wrong = [each.text for each in added.items if each.text != "NET_BIND_SERVICE"]
    yield from unless(not wrong, resource, added, "remove all but NET_BIND_SERVICE")
    mount = one.security("procMount")
    yield from unless(mount.text in ("", "Default"), resource, mount, "remove it")
    host = one.inherited("windowsOptions")["hostProcess"]
    yield from unless(host.flag is not True, resource, host, "remove it")


@container_rule(
    "kubernetes-pod-not-root",
    "Containers do not run as root",
    "PSS restricted: Running as Non-root, Running as Non-root user",
    "CIS Kubernetes 1.12 5.2.7",
    "NSA C-0013",
)
def pod_not_root(resource: Resource, one: Container) -> Iterator[Violation]:
    kept, user = one.inherited("runAsNonRoot"), one.inherited("runAsUser")
    yield from unless(kept.flag is True, resource, kept, "set it to true")
    yield from unless(user.number != 0, resource, user, "name another user")


@container_rule(
    "kubernetes-pod-seccomp",
    "Containers are confined by a seccomp profile",
    "PSS restricted: Seccomp",
    "CIS Kubernetes 1.12 5.7.2",
    "NSA C-0055",
)
def pod_seccomp(resource: Resource, one: Container) -> Iterator[Violation]:
    profile = one.inherited("seccompProfile")["type"]
    yield from unless(profile.text in ("RuntimeDefault", "Localhost"), resource, profile, 'set it to "RuntimeDefault"')


@container_rule(
    "kubernetes-pod-kernel-defaults",
    "Containers leave the kernel's settings, SELinux and AppArmor as they are",
    "PSS restricted: Sysctls, SELinux, AppArmor",
    "NSA C-0055",
)
def pod_kernel_defaults(resource: Resource, one: Container) -> Iterator[Violation]:
    for sysctl in one.pod["securityContext"]["sysctls"].items:
        yield from unless(sysctl["name"].text in SAFE_SYSCTLS, resource, sysctl["name"], "remove it")
    selinux = one.inherited("seLinuxOptions")
    yield from unless(selinux["type"].text in SELINUX_TYPES, resource, selinux["type"], "remove it")
    for key in ("user", "role"):
        yield from unless(not selinux[key].given, resource, selinux[key], "remove it")
    armor = one.inherited("appArmorProfile")["type"]
    yield from unless(armor.text != "Unconfined", resource, armor, 'set it to "RuntimeDefault"')


@container_rule(
    "kubernetes-pod-read-only-root",
    "Containers cannot write to their images",
    "NSA C-0017",
    "CIS Kubernetes 1.12 5.7.3",
)
def pod_read_only_root(resource: Resource, one: Container) -> Iterator[Violation]:
    root = one.security("readOnlyRootFilesystem")
    yield from unless(root.flag is True, resource, root, "set it to true and mount an emptyDir where it writes")


@container_rule(
    "kubernetes-pod-resources",
    "Containers say what CPU and memory they need, and how much memory they may use",
    "NSA C-0270, C-0271",
    lists=("initContainers", "containers"),
)
def pod_resources(resource: Resource, one: Container) -> Iterator[Violation]:
    resources = one.value["resources"]
    for value in (resources["requests"]["cpu"], resources["requests"]["memory"], resources["limits"]["memory"]):
        yield from unless(value.given, resource, value, "set it")


@container_rule(
    "kubernetes-pod-probes",
    "Containers that stay say when they are ready and whether they live",
    "NSA C-0018, C-0056",
    types=kinds(*LASTING),
    lists=("containers",),
)
def pod_probes(resource: Resource, one: Container) -> Iterator[Violation]:
    for key in ("readinessProbe", "livenessProbe"):
        yield from unless(one.value[key].given, resource, one.value[key], "add one")


@container_rule(
    "kubernetes-pod-images",
    "Images are named by digest or by a tag that does not move, and come from allowed registries",
    "NSA C-0075, C-0078",
    "CIS Kubernetes 1.12 5.5.1",
)
def pod_images(resource: Resource, one: Container) -> Iterator[Violation]:
    image = one.value["image"]
    yield from unless(exact(image.text), resource, image, "name a digest or a release")
    allowed = resource.settings.image_registries
    repository, _, _ = parted(image.text)
    fits = not allowed or any(fnmatchcase(repository, pattern) for pattern in allowed)
    yield from unless(fits, resource, image, f"take it from one of {', '.join(allowed)}")


@container_rule(
    "kubernetes-pod-secrets-as-files",
    "Secrets reach containers as files, not by the environment",
    "CIS Kubernetes 1.12 5.4.1",
    "NSA C-0012",
)
def pod_secrets_as_files(resource: Resource, one: Container) -> Iterator[Violation]:
    mend = "mount the Secret as a volume"
    for variable in one.value["env"].items:
        source = variable["valueFrom"]["secretKeyRef"]
        yield from unless(not source.given, resource, source, mend)
    for variables in one.value["envFrom"].items:
        yield from unless(not variables["secretRef"].given, resource, variables["secretRef"], mend)


@container_rule(
    "kubernetes-pod-no-secrets-in-environment",
    "The environment of containers holds no secret in plain text",
    "CIS Kubernetes 1.12 5.4.1",
    "NSA C-0012",
)
def pod_no_secrets_in_environment(resource: Resource, one: Container) -> Iterator[Violation]:
    for variable in one.value["env"].items:
        wrong = given_away(variable["name"].text, variable["value"])
        yield from unless(not wrong, resource, variable["name"], "mount it from a Secret, as a volume", wrong)
