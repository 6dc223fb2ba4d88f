"""The floor of a preview: a flat program that registers what a stack registers, and does nothing else."""

from __future__ import annotations

import json
import keyword
import pprint
from collections.abc import Mapping
from typing import Any

import pulumi_aws
import pulumi_docker
import pulumi_gcp
import pulumi_kubernetes
import pulumi_random
import pulumi_tls
from pulumi import _types
from pulumi.runtime.rpc import UNKNOWN

_PACKAGES = {
    "aws": pulumi_aws,
    "docker": pulumi_docker,
    "gcp": pulumi_gcp,
    "kubernetes": pulumi_kubernetes,
    "random": pulumi_random,
    "tls": pulumi_tls,
}
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_PROVIDER = "pulumi:providers:"


def program(deployment: Mapping[str, Any]) -> str:
    """Write the program from a recorded deployment, as `pulumi stack export` writes it.

    Every custom resource appears once, with its type, name and inputs, through the same SDK class and with an explicit
    provider. Inputs are literals, so nothing waits for anything: the engine may take all registrations at once.

    Raises:
        ValueError: a resource is of a package, or an input of a kind, that the writer does not know.
    """
    resources = [resource for resource in deployment["resources"] if resource["custom"]]
    providers = {
        f"{resource['urn']}::{resource['id']}": f"provider_{number}"
        for number, resource in enumerate(resources)
        if resource["type"].startswith(_PROVIDER)
    }
    packages = sorted({_package(resource["type"]) for resource in resources})
    lines = ["import pulumi", *(f"import pulumi_{package} as {package}" for package in packages), ""]
    for resource in resources:
        own = providers.get(f"{resource['urn']}::{resource['id']}")
        options = {} if own else {"provider": providers[resource["provider"]]}
        if resource.get("protect"):
            options["protect"] = "True"
        call = _call(resource, ", ".join(f"{name}={value}" for name, value in options.items()))
        lines.append(f"{own} = {call}" if own else call)
    return "\n".join(lines) + "\n"


def _call(resource: Mapping[str, Any], options: str) -> str:
    """Write the construction of one resource."""
    path = _class_path(resource["type"])
    known = {wire: name for name, wire in _types.input_type_py_to_pulumi_names(_arguments(path)).items()}
    inputs = _given(resource["inputs"])
    if resource["type"].startswith(_PROVIDER):
        inputs = {name: _unpacked(value) for name, value in inputs.items() if name in known and name != "version"}
        if "kubeconfig" in inputs:
            # As in a first preview of the stack: there is no cluster yet.
            inputs["kubeconfig"] = UNKNOWN
    if unknown := sorted(set(inputs) - set(known)):
        raise ValueError(f"{resource['urn']}: the SDK's {path} takes no {', '.join(unknown)}")
    # Inner names stay as they are on the wire: the SDK passes them on.
    written = (f"{known[name]}={pprint.pformat(value, width=110, sort_dicts=False)}" for name, value in inputs.items())
    name = resource["urn"].rsplit("::", 1)[1]
    return f"{path}({', '.join([repr(name), *written, f'opts=pulumi.ResourceOptions({options})'])})"


def _package(token: str) -> str:
    package = token.removeprefix(_PROVIDER).split(":")[0]
    if package not in _PACKAGES:
        raise ValueError(f"{token}: the flat program knows the packages {', '.join(_PACKAGES)}")
    return package


def _class_path(token: str) -> str:
    """Turn ``aws:ec2/vpc:Vpc`` into ``aws.ec2.Vpc``."""
    package = _package(token)
    if token.startswith(_PROVIDER):
        return f"{package}.Provider"
    _, module, name = token.split(":")
    if package == "kubernetes":
        return _kubernetes_path(module, name)
    module = module.split("/")[0]
    if module == "index":
        return f"{package}.{name}"
    return f"{package}.{module}{'_' if keyword.iskeyword(module) else ''}.{name}"


def _kubernetes_path(module: str, name: str) -> str:
    """Turn ``networking.k8s.io/v1`` and ``NetworkPolicy`` into ``kubernetes.networking.v1.NetworkPolicy``."""
    group, version = module.split("/")
    home = getattr(getattr(pulumi_kubernetes, group.split(".")[0], None), version, None)
    if not hasattr(home, name):
        return "kubernetes.apiextensions.CustomResource"
    return f"kubernetes.{group.split('.')[0]}.{version}.{name}"


def _arguments(path: str) -> type:
    """Find the SDK's class of a resource's arguments."""
    package, *modules, name = path.split(".")
    home: Any = _PACKAGES[package]
    for module in modules:
        home = getattr(home, module)
    # Where a nested type already has the usual name, the resource's arguments have another.
    found: type = getattr(home, f"{name}InitArgs", None) or getattr(home, f"{name}Args")
    return found


def _given(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the provider added by itself, at any depth."""
    added = {"__defaults", "__internal", *inputs.get("__defaults", ())}
    return {name: _plain(value) for name, value in inputs.items() if name not in added}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        if _SIGNATURE in value:
            if "plaintext" not in value:
                raise ValueError("only secrets can be written among the engine's special values")
            return json.loads(value["plaintext"])
        return _given(value)
    return value


def _unpacked(value: Any) -> Any:
    """Undo the JSON in which the SDK hands a provider's structured configuration over."""
    if isinstance(value, str) and (value[:1] in ("{", "[") or value in ("true", "false")):
        return json.loads(value)
    return value
