"""ECS, and the name spaces of its Service Connect."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.cloud.aws import schemas
from sandbox.cloud.aws.model import ACCOUNT, AwsError, AwsType, View
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem
from sandbox.cloud.store import Resource

CLUSTER = "aws:ecs/cluster:Cluster"
CAPACITY_PROVIDERS = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
SERVICE = "aws:ecs/service:Service"
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
NAMESPACE = "aws:servicediscovery/httpNamespace:HttpNamespace"
CAPACITY_PROVIDER = "aws:ecs/capacityProvider:CapacityProvider"

AWS_CAPACITY = frozenset({"FARGATE", "FARGATE_SPOT"})
"""Capacity providers that every account has."""


def _cluster_outputs(view: View, id: str) -> dict[str, Any]:
    return {"settings": view.value("settings") or [{"name": "containerInsights", "value": "disabled"}]}


def _known_capacity(view: View) -> None:
    named = view.value("capacityProviders") or []
    for name in named:
        if name not in AWS_CAPACITY and view.one(CAPACITY_PROVIDER, name) is None:
            raise AwsError(
                "InvalidParameterException",
                f"The specified capacity provider '{name}' was not found. Specify a valid name or ARN and try again.",
            )
    strategy = view.value("defaultCapacityProviderStrategies") or []
    for part in strategy:
        if part["capacityProvider"] not in named:
            raise AwsError(
                "InvalidParameterException",
                f"The capacity provider {part['capacityProvider']} of the strategy is not one of the cluster's: "
                f"{', '.join(named)}.",
            )
    if len([part for part in strategy if part.get("base")]) > 1:
        raise AwsError(
            "InvalidParameterException", "Only one capacity provider of a strategy may have a base other than 0."
        )


def _capacity_stays(view: View) -> None:
    """Refuse to take away what a service's strategy names."""
    if view.existing is not None:
        _refuse_if_used(view, set(view.old("capacityProviders")) - set(view.inputs.get("capacityProviders") or ()))


def _no_capacity_in_use(view: View) -> None:
    _refuse_if_used(view, set(view.old("capacityProviders")))


def _refuse_if_used(view: View, going: set[str]) -> None:
    for service in view.all(SERVICE):
        named = {part["capacityProvider"] for part in service.outputs.get("capacityProviderStrategies") or ()}
        if str(service.outputs["cluster"]).rpartition("/")[2] == view.old("clusterName") and named & going:
            # As reported in https://github.com/aws/aws-cdk/issues/15366.
            raise AwsError("ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")


# Task definitions


def _task_shape(inputs: dict[str, Any]) -> dict[str, Any]:
    """Open the containers' JSON, as AWS's schema has them as objects."""
    try:
        inputs["containerDefinitions"] = json.loads(inputs["containerDefinitions"])
    except (KeyError, TypeError, ValueError):
        inputs.pop("containerDefinitions", None)
    return inputs


def _containers(text: Any) -> list[dict[str, Any]]:
    found = json.loads(text) if isinstance(text, str) else []
    return [container for container in found if isinstance(container, dict)] if isinstance(found, list) else []


def _task_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    return list(_task_judgements(inputs))


def _task_judgements(inputs: Mapping[str, Any]) -> Iterator[Problem]:
    """Judge containers (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)."""
    text = inputs.get("containerDefinitions")
    if not isinstance(text, str):
        return
    place = "containerDefinitions"
    try:
        containers = json.loads(text)
    except ValueError as error:
        yield Problem(place, f"ECS Task Definition container_definitions is invalid: {error}")
        return
    if not isinstance(containers, list) or not containers or not all(isinstance(c, dict) for c in containers):
        yield Problem(place, "ECS Task Definition container_definitions is invalid: a list of objects is wanted")
        return
    for name in [name for container in containers for name in ("name", "image") if not container.get(name)]:
        yield Problem(place, f"ClientException: Container.{name} should not be null or empty")
    names = [container.get("name") for container in containers]
    if len(set(names)) < len(names):
        yield Problem(place, "ClientException: Container names must be unique in a task definition")
    if not any(container.get("essential", True) for container in containers):
        yield Problem(place, "ClientException: At least one container should be essential")
    known = {name.lower() for name in _container_properties()}
    for container in containers:
        for name in sorted(set(container) - {"systemControls", "credentialSpecs"}):
            if name.lower() not in known:
                yield Problem(place, f"container {container.get('name')!r} has an unknown property {name!r}")
        secrets = {secret.get("name") for secret in container.get("secrets") or ()}
        if both := secrets & {variable.get("name") for variable in container.get("environment") or ()}:
            yield Problem(place, f"ClientException: {', '.join(sorted(both))}: secret and environment variable at once")
        for needed in container.get("dependsOn") or ():
            if needed.get("containerName") not in names:
                yield Problem(place, f"ClientException: container {needed.get('containerName')!r} does not exist")
    if "FARGATE" in (inputs.get("requiresCompatibilities") or ()):
        missing = [name for name in ("cpu", "memory") if inputs.get(name) is None]
        for name in missing:
            yield Problem(name, f"ClientException: Fargate requires task definition to have {name}")
        size = {"Cpu": inputs.get("cpu"), "Memory": inputs.get("memory"), "RequiresCompatibilities": ["FARGATE"]}
        if not missing and any(schemas.extension("aws_ecs_taskdefinition/fargate_cpu_memory").iter_errors(size)):
            told = f"{size['Cpu']} CPU, {size['Memory']} memory"
            yield Problem("memory", f"ClientException: No Fargate configuration exists for given values: {told}")
        needs_role = any(container.get("secrets") for container in containers)
        if needs_role and not inputs.get("executionRoleArn"):
            yield Problem(
                "executionRoleArn", "ClientException: Fargate requires an execution role for container secrets"
            )


def _container_properties() -> Mapping[str, Any]:
    schema = schemas.resource_schema("AWS::ECS::TaskDefinition", "us-east-1")
    found: Mapping[str, Any] = schema.content["definitions"]["ContainerDefinition"]["properties"] if schema else {}
    return found


def _revision(view: View) -> int:
    if view.existing is not None:
        return int(view.existing.outputs["revision"])
    others = [r for r in view.all(TASK_DEFINITION) if r.outputs["family"] == view.value("family")]
    return max((int(other.outputs["revision"]) for other in others), default=0) + 1


def _task_outputs(view: View, id: str) -> dict[str, Any]:
    stem = f"arn:aws:ecs:{view.region}:{ACCOUNT}:task-definition/{view.value('family')}"
    return {"revision": _revision(view), "arnWithoutRevision": stem}


# Services


def task_of(view: View, name: Any) -> Resource | None:
    """Find a task definition by ARN, family and revision, or family alone (the newest)."""
    tasks = [task for task in view.all(TASK_DEFINITION) if str(name) in _task_names(task)]
    return max(tasks, key=lambda task: int(task.outputs["revision"]), default=None)


def _task_names(task: Resource) -> tuple[str, ...]:
    family = task.outputs["family"]
    return task.outputs["arn"], f"{family}:{task.outputs['revision']}", family


def _cluster_of(view: View) -> Resource | None:
    wanted = str(view.value("cluster") or "default")
    return next((c for c in view.all(CLUSTER) if wanted in (c.id, c.outputs["name"])), None)


def _refuse(text: str, code: str = "InvalidParameterException") -> None:
    raise AwsError(code, text)


def _service_rules(view: View) -> None:
    cluster = _cluster_of(view)
    if cluster is None:
        _refuse("Cluster not found.", "ClusterNotFoundException")
    task = task_of(view, view.value("taskDefinition"))
    external = (view.value("deploymentController") or {}).get("type") == "EXTERNAL"
    if task is None:
        if not external:
            _refuse("TaskDefinition not found.", "ClientException")
        return
    if task.outputs.get("networkMode") == "awsvpc" and not view.value("networkConfiguration"):
        _refuse("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    containers = {container["name"]: container for container in _containers(task.outputs["containerDefinitions"])}
    for target in view.value("loadBalancers") or ():
        container = containers.get(target.get("containerName"))
        if container is None:
            _refuse(f"The container {target.get('containerName')} does not exist in the task definition.")
            continue
        ports = [mapping.get("containerPort") for mapping in container.get("portMappings") or ()]
        if target.get("containerPort") not in ports:
            name = target.get("containerName")
            _refuse(f"The container {name} did not have a container port {target.get('containerPort')} defined.")
        arn = target.get("targetGroupArn")
        listeners = ("aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule")
        if arn and not any(user.type in listeners for user in view.store.mentioning(arn)):
            _refuse(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
    ports_by_name = {m.get("name") for c in containers.values() for m in c.get("portMappings") or ()}
    for service in (view.value("serviceConnectConfiguration") or {}).get("services") or ():
        if service.get("portName") not in ports_by_name:
            _refuse(f"The portName {service.get('portName')} in service connect is not defined in the task definition.")
    _capacity_of_cluster(view, cluster)


def _capacity_of_cluster(view: View, cluster: Resource | None) -> None:
    associated: set[str] = set()
    for association in view.all(CAPACITY_PROVIDERS):
        if cluster is not None and association.outputs["clusterName"] == cluster.outputs["name"]:
            associated |= set(association.outputs["capacityProviders"])
    for part in view.value("capacityProviderStrategies") or ():
        if part["capacityProvider"] not in associated:
            _refuse(
                "The specified capacity provider strategy cannot contain a capacity provider that is not associated "
                f"with the cluster: {part['capacityProvider']}."
            )


def _service_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    found = []
    if inputs.get("launchType") and inputs.get("capacityProviderStrategies"):
        found.append(Problem("launchType", "conflicts with capacityProviderStrategies"))
    if inputs.get("healthCheckGracePeriodSeconds") and not inputs.get("loadBalancers"):
        found.append(Problem("healthCheckGracePeriodSeconds", "is for services with a load balancer only"))
    low = inputs.get("deploymentMinimumHealthyPercent", 100)
    high = inputs.get("deploymentMaximumPercent", 200)
    if UNKNOWN not in (low, high) and int(low) == int(high) == 100:
        found.append(Problem("deploymentMaximumPercent", "100 with a minimum of 100 leaves no room to deploy"))
    network = inputs.get("networkConfiguration")
    if isinstance(network, dict):
        for name, most in (("subnets", 16), ("securityGroups", 5)):
            given = network.get(name)
            if isinstance(given, list) and len(given) > most:
                found.append(Problem(f"networkConfiguration.{name}", f"at most {most}, these are {len(given)}"))
    return found


def _service_outputs(view: View, id: str) -> dict[str, Any]:
    fargate = "FARGATE" if not view.value("capacityProviderStrategies") else ""
    return {
        "cluster": view.value("cluster") or f"arn:aws:ecs:{view.region}:{ACCOUNT}:cluster/default",
        "launchType": view.value("launchType") or fargate,
        "platformVersion": view.value("platformVersion") or "LATEST",
        "iamRole": view.value("iamRole") or "/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "availabilityZoneRebalancing": view.value("availabilityZoneRebalancing") or "DISABLED",
        "triggers": view.value("triggers") or {},
    }


TYPES: dict[str, AwsType] = {
    CLUSTER: AwsType(
        service="ECS",
        noun="Cluster",
        cloudformation="AWS::ECS::Cluster",
        id="arn:{partition}:ecs:{region}:{account}:cluster/{name}",
        arn="ecs:{region}:{account}:cluster/{name}",
        renames={"name": "ClusterName", "settings": "ClusterSettings"},
        computed=_cluster_outputs,
        taken="ClientException",
        taken_text="The cluster {name} already exists",
        missing=("ClusterNotFoundException", "Cluster {id} not found."),
        in_use=(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        ),
        users=lambda cluster, user: user.type == "aws:ecs/service:Service",
        cascades={CAPACITY_PROVIDERS: "clusterName"},
    ),
    CAPACITY_PROVIDERS: AwsType(
        service="ECS",
        noun="ClusterCapacityProviders",
        label="ECS Cluster Capacity Providers",
        cloudformation="AWS::ECS::ClusterCapacityProviderAssociations",
        id="{clusterName}",
        renames={"clusterName": "Cluster", "defaultCapacityProviderStrategies": "DefaultCapacityProviderStrategy"},
        references={"clusterName": CLUSTER},
        computed=lambda view, id: {
            "capacityProviders": view.inputs.get("capacityProviders") or [],
            "defaultCapacityProviderStrategies": view.inputs.get("defaultCapacityProviderStrategies") or [],
        },
        rules=(_known_capacity, _capacity_stays),
        deletion_rules=(_no_capacity_in_use,),
        operations=dict.fromkeys(("create", "update", "delete"), "PutClusterCapacityProviders"),
    ),
    TASK_DEFINITION: AwsType(
        service="ECS",
        noun="TaskDefinition",
        label="ECS Task Definition",
        cloudformation="AWS::ECS::TaskDefinition",
        id="{family}",
        arn="ecs:{region}:{account}:task-definition/{family}:{number}",
        words=lambda view: {"number": str(_revision(view))},
        adapt=_task_shape,
        revisions=True,
        defaults={"skipDestroy": False, "trackLatest": False, "enableFaultInjection": False},
        computed=_task_outputs,
        documents=frozenset({"containerDefinitions"}),
        value_rules=(_task_problems,),
        missing=("ClientException", "Unable to describe task definition {id}."),
        replaces=frozenset({"volumes"}),
        operations={"create": "RegisterTaskDefinition", "delete": "DeregisterTaskDefinition"},
        write_only=frozenset({"skipDestroy", "trackLatest"}),
        extensions=(("aws_ecs_taskdefinition/fargate_properties", ""),),
    ),
    SERVICE: AwsType(
        service="ECS",
        noun="Service",
        cloudformation="AWS::ECS::Service",
        id="arn:{partition}:ecs:{region}:{account}:service/{clusterName}/{name}",
        arn="ecs:{region}:{account}:service/{clusterName}/{name}",
        words=lambda view: {"clusterName": str(view.value("cluster") or "default").rpartition("/")[2]},
        renames={
            "name": "ServiceName",
            "iamRole": "Role",
            "alarms": None,
            "deploymentConfiguration": None,
            "deploymentCircuitBreaker": None,
            "capacityProviderStrategies": "CapacityProviderStrategy",
            "networkConfiguration": None,
            "orderedPlacementStrategies": None,
            "volumeConfiguration": None,
        },
        names=("name", "cluster"),
        taken="InvalidParameterException",
        taken_text="Creation of service was not idempotent: {name} exists.",
        missing=("ServiceNotFoundException", "Service {id} not found."),
        defaults={
            "deploymentMaximumPercent": 200,
            "deploymentMinimumHealthyPercent": 100,
            "desiredCount": 0,
            "enableEcsManagedTags": False,
            "enableExecuteCommand": False,
            "healthCheckGracePeriodSeconds": 0,
            "propagateTags": "NONE",
            "schedulingStrategy": "REPLICA",
        },
        computed=_service_outputs,
        rules=(_service_rules,),
        value_rules=(_service_problems,),
        replaces=frozenset({"launchType"}),
        write_only=frozenset({"forceDelete", "forceNewDeployment", "sigintRollback", "waitForSteadyState"}),
        extensions=(("aws_ecs_service/fargate", ""),),
    ),
    NAMESPACE: AwsType(
        service="ServiceDiscovery",
        noun="HttpNamespace",
        label="Cloud Map HTTP Namespace",
        cloudformation="AWS::ServiceDiscovery::HttpNamespace",
        id="ns-{hex}",
        arn="servicediscovery:{region}:{account}:namespace/{id}",
        defaults={"description": ""},
        computed=lambda view, id: {"httpName": view.value("name")},
        taken="NamespaceAlreadyExists",
        taken_text="Namespace with name {name} already exists",
        missing=("NamespaceNotFound", "Namespace {id} does not exist"),
        in_use=("ResourceInUse", "Namespace {id} has associated services: {users}"),
        operations={"delete": "DeleteNamespace"},
    ),
}
