"""The platform's program with another line in whatever pods mount, as if all ConfigMaps and Secrets had changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

from sandbox.workspace import CHECKOUT

KEY = "changed"
"""The line that is added to each."""

PROGRAM = f"""
import os
import runpy
import sys

import pulumi

# Settings name files as seen from the checkout.
os.chdir({str(CHECKOUT)!r})
sys.path.insert(0, {str(CHECKOUT)!r})
CONTENTS = {{"kubernetes:core/v1:ConfigMap": "data", "kubernetes:core/v1:Secret": "string_data"}}
run = pulumi.run


def change(args):
    key = CONTENTS.get(args.type_)
    if key is None or args.props.get(key) is None:
        return None
    held = pulumi.Output.from_input(args.props[key]).apply(lambda held: {{**held, {KEY!r}: "1"}})
    return pulumi.ResourceTransformationResult({{**args.props, key: held}}, args.opts)


def run_changed(main):
    async def changed():
        pulumi.runtime.register_stack_transformation(change)
        await main()

    run(changed)


pulumi.run = run_changed
runpy.run_path({str(CHECKOUT / "__main__.py")!r}, run_name="__main__")
"""

MOUNTS = {
    "configMap": ("ConfigMap", "name"),
    "configMapRef": ("ConfigMap", "name"),
    "configMapKeyRef": ("ConfigMap", "name"),
    "secret": ("Secret", "secretName"),
    "secretRef": ("Secret", "name"),
    "secretKeyRef": ("Secret", "name"),
}
"""Field of a pod to the kind of object that it takes in, and to the field with that one's name."""


def checkout_with_changes(directory: Path) -> Path:
    """Make a checkout whose program is the platform's with those changes."""
    program = directory / "program"
    program.mkdir(parents=True)
    (program / "__main__.py").write_text(PROGRAM)
    (directory / ".venv").symlink_to(Path(sys.prefix))
    project = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())
    (directory / "Pulumi.yaml").write_text(yaml.safe_dump({**project, "main": "program"}))
    for stack in CHECKOUT.glob("Pulumi.*.yaml"):
        (directory / stack.name).write_text(stack.read_text())
    return directory


def mounted(api: client.ApiClient) -> set[tuple[str, str, str]]:
    """List the kinds, namespaces and names of what the platform's workloads take in, as the API server has those."""
    apps, batch = client.AppsV1Api(api), client.BatchV1Api(api)
    found: set[tuple[str, str, str]] = set()
    for source in (
        apps.list_deployment_for_all_namespaces,
        apps.list_stateful_set_for_all_namespaces,
        apps.list_daemon_set_for_all_namespaces,
        batch.list_cron_job_for_all_namespaces,
        batch.list_job_for_all_namespaces,
    ):
        for workload in api.sanitize_for_serialization(source())["items"]:
            namespace = workload["metadata"]["namespace"]
            found |= {(kind, namespace, name) for kind, name in _taken_in(workload["spec"])}
    return found


def _taken_in(value: Any) -> set[tuple[str, str]]:
    if isinstance(value, list):
        return {each for item in value for each in _taken_in(item)}
    if not isinstance(value, dict):
        return set()
    found = {each for item in value.values() for each in _taken_in(item)}
    for key, (kind, name) in MOUNTS.items():
        if isinstance(value.get(key), dict):
            found.add((kind, str(value[key].get(name) or value[key]["name"])))
    return found


def contents(api: client.ApiClient) -> dict[tuple[str, str, str], set[str]]:
    """Return the keys of every ConfigMap and Secret of the platform."""
    core = client.CoreV1Api(api)
    sources = {"ConfigMap": core.list_config_map_for_all_namespaces, "Secret": core.list_secret_for_all_namespaces}
    return {
        (kind, each.metadata.namespace, each.metadata.name): set(each.data or ())
        for kind, source in sources.items()
        for each in source().items
        if each.metadata.namespace.startswith("auterity")
    }
