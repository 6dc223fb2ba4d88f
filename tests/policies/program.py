"""A Pulumi program that makes the resources of cases, whatever their types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from tests.policies.cases.model import Case, Later, Made, Ref, referred


class Anything(pulumi.CustomResource):
    """A resource of any type; its outputs are those that others ask for."""

    def __init__(
        self,
        made: Made,
        name: str,
        properties: dict[str, Any],
        outputs: Iterable[str],
        options: pulumi.ResourceOptions | None = None,
    ) -> None:
        asked = {output: None for output in outputs if output != "id"}
        super().__init__(made.type, name, {**asked, **properties}, options)


def make(cases: Iterable[Case]) -> None:
    """Register every resource of some cases."""
    # A provider's own values are unknown in a preview; this one is there to be waited for.
    later = Anything(Made("random:index/randomId:RandomId", {}), "later", {"byteLength": 4}, ["hex"])
    # Where the cluster is comes later, too, so that no preview asks it anything.
    providers = {
        "aws": pulumi.ProviderResource("aws", "aws-of-cases", {"region": "us-east-1"}),
        "gcp": pulumi.ProviderResource("gcp", "gcp-of-cases", {"project": "some-project"}),
        "kubernetes": pulumi.ProviderResource("kubernetes", "cluster-of-cases", {"kubeconfig": later.id}),
    }
    for case in cases:
        made: dict[str, Anything] = {}
        outputs: dict[str, set[str]] = {key: set() for key in case.resources}
        for resource in case.resources.values():
            for ref in referred(resource.properties):
                outputs[ref.resource].add(ref.output.partition(".")[0])
        for key, resource in case.resources.items():
            properties = {name: _resolved(value, made, later) for name, value in resource.properties.items()}
            options = pulumi.ResourceOptions(provider=providers[resource.type.partition(":")[0]])
            made[key] = Anything(resource, case.name(key), properties, outputs[key], options)


def _resolved(value: Any, made: Mapping[str, Anything], later: Anything) -> Any:
    if isinstance(value, Ref):
        first, _, rest = value.output.partition(".")
        output: pulumi.Output[Any] = getattr(made[value.resource], first)
        return output.apply(lambda held: held[rest]) if rest else output
    if isinstance(value, Later):
        return pulumi.Output.all(later.id, _resolved(value.value, made, later)).apply(lambda both: both[1])
    if isinstance(value, Mapping):
        return {key: _resolved(each, made, later) for key, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, made, later) for each in value]
    return value
