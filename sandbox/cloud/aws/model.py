"""What the simulated AWS knows of a resource type, and how its rules see the cloud."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloud.caller import Caller
from sandbox.cloud.errors import CloudError
from sandbox.cloud.sdk_types import Problem, SdkType
from sandbox.cloud.store import Resource, Store

ACCOUNT = "123456789012"
"""The simulated account: the number that AWS's own documentation uses."""

PARTITION = "aws"


class AwsError(CloudError):
    """An API's refusal before it is known which operation it answers.

    Attributes:
        code: AWS's error code, such as ``DependencyViolation``.
        message: the API's message.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class View:
    """The cloud as a rule about one resource sees it.

    Attributes:
        store: everything there is.
        region: Region of the resource; empty for a global one.
        name: the resource's name in the program.
        kind: the SDK's type.
        inputs: what it is asked to be.
        existing: what it is now; None while it is being made.
    """

    store: Store
    region: str
    name: str
    kind: SdkType
    inputs: Mapping[str, Any]
    existing: Resource | None

    def all(self, type: str) -> list[Resource]:
        """List the resources of a type in this Region, without the resource itself."""
        found = self.store.list("aws", type, self.region)
        return [resource for resource in found if not self.is_self(resource)]

    def one(self, type: str, id: str) -> Resource | None:
        """Find a resource of a type by id in this Region (or a global one)."""
        return next((r for r in self.store.find(id, type) if r.region in (self.region, "")), None)

    def is_self(self, resource: Resource) -> bool:
        """Tell whether this is the very resource that the rule is about."""
        return self.existing is not None and self.existing.number == resource.number

    def is_peer(self, resource: Resource) -> bool:
        """Tell whether a resource is another one of the same type in the same Region."""
        same = (resource.type, resource.region) == (self.kind.token, self.region)
        return same and not self.is_self(resource)

    def value(self, property: str) -> Any:
        """Return what a property will be: as asked, else as it is."""
        if property in self.inputs:
            return self.inputs[property]
        return self.existing.outputs.get(property) if self.existing else None

    def old(self, property: str) -> Any:
        """Return what a property is; None while the resource is being made."""
        return self.existing.outputs.get(property) if self.existing else None

    def kept(self, property: str, fresh: Callable[[], Any]) -> Any:
        """Return what a property is, or something fresh for a new resource."""
        old = self.old(property)
        return fresh() if old is None else old


Computed = Callable[[View, str], dict[str, Any]]
Rule = Callable[[View], None]
Seen = Callable[[Store, Resource, Caller], bool]


@dataclass(frozen=True)
class AwsType:
    """One type of resource, beyond what SDK and CloudFormation schema say.

    Templates know ``{id}``, ``{region}``, ``{account}``, ``{partition}``, ``{hex}`` (17 digits), ``{hex16}``,
    ``{hex6}``, ``{uuid}``, ``{capitals}`` (26), ``{capitals20}`` and every input and computed output by its name.

    Attributes:
        service: as the SDK for Go names it in errors: ``EC2``.
        noun: as the API's operations name the resource: ``Subnet`` in ``CreateSubnet``.
        cloudformation: type of AWS's schema; None where there is none.
        label: as the provider's errors name the resource; by default service and noun.
        id: template of the id.
        words: further words for the templates of id and ARN.
        arn: template of the ARN from the service on (``ec2:{region}:{account}:vpc/{id}``); empty: it has none.
        renames: input to CloudFormation property, where the names differ by more than capitals and plurals; None
            for an input that the schema does not describe.
        adapt: brings inputs of another shape into that of the schema.
        policies: inputs that hold policy documents, with the kind: ``identity``, ``trust`` or ``resource``.
        defaults: what an input is while nobody sets it.
        computed: further outputs.
        names: inputs that together are taken once per Region (or account, for global types).
        names_everywhere: whether a name is taken in all Regions at once.
        taken: error code for a name taken twice.
        taken_text: its message, with ``{name}`` and ``{noun}``.
        missing: error code for an id that does not exist, and its message with ``{id}``.
        references: input (a path; lists and maps in between are gone through) to the type whose name or id it holds.
        autoname: input that gets a generated name.
        autoname_start: what a generated name begins with.
        lowercase: whether generated names are in lower case.
        name_limit: length of the longest generated name.
        replaces: inputs that the provider cannot change although the schema does not say so.
        in_place: inputs that the provider changes in place although CloudFormation would replace.
        delete_first: whether the old one must be gone before its replacement is made.
        rules: what must hold before a resource is made or changed.
        deletion_rules: what must hold before it is deleted.
        in_use: code and message (``{id}``) of the refusal to delete what another resource uses; None: AWS allows it.
        users: who counts as a user; by default any resource that refers to it.
        cascades: types whose resources go with this one, with the input that names it.
        value_rules: judgements that need no state.
        write_only: inputs that AWS never tells.
        documents: inputs compared as JSON.
        operations: API operation by ``create``, ``update`` and ``delete``, where it is not ``CreateNoun`` and so on.
        adopts: finds what AWS made by itself and this type only takes over; deleting it then leaves it in the cloud.
        companions: what AWS makes together with the resource, and removes with it.
        revisions: whether making it again adds a revision beside those there are, under the same id.
        seen: whether the cloud shows a resource to a caller; False where the provider takes what it is told for a
            resource that is gone. It raises an `AwsError` where the provider fails.
        waits: inputs whose change waits for the next maintenance window unless ``applyImmediately`` is true; until then
            AWS tells the value of before.
        added: what AWS adds within objects that are inputs: property to the names of AWS's own in it.
        extensions: cfn-lint's additions to the schema that are errors: a file, or a file and the property it judges;
            a file that is written by Region is judged in the resource's own.
    """

    service: str
    noun: str
    cloudformation: str | None
    label: str = ""
    id: str = "{hex}"
    arn: str = ""
    words: Callable[[View], Mapping[str, str]] | None = None
    renames: Mapping[str, str | None] = field(default_factory=dict)
    adapt: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    policies: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    computed: Computed | None = None
    names: Sequence[str] = ()
    names_everywhere: bool = False
    taken: str = "ResourceAlreadyExistsException"
    taken_text: str = "{noun} {name} already exists"
    missing: tuple[str, str] = ("ResourceNotFoundException", "{id} does not exist")
    references: Mapping[str, str] = field(default_factory=dict)
    autoname: str = "name"
    autoname_start: str = ""
    lowercase: bool = False
    name_limit: int = 255
    replaces: frozenset[str] = frozenset()
    in_place: frozenset[str] = frozenset()
    delete_first: bool = False
    rules: Sequence[Rule] = ()
    deletion_rules: Sequence[Rule] = ()
    in_use: tuple[str, str] | None = None
    users: Callable[[Resource, Resource], bool] | None = None
    cascades: Mapping[str, str] = field(default_factory=dict)
    value_rules: Sequence[Callable[[Mapping[str, Any]], list[Problem]]] = ()
    write_only: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    operations: Mapping[str, str] = field(default_factory=dict)
    adopts: Callable[[View], Resource | None] | None = None
    companions: Callable[[View, Resource], Iterable[Resource]] | None = None
    revisions: bool = False
    seen: Seen | None = None
    waits: frozenset[str] = frozenset()
    added: Mapping[str, Sequence[str]] = field(default_factory=dict)
    extensions: Sequence[tuple[str, str]] = ()

    @property
    def title(self) -> str:
        """How the provider's errors name the resource."""
        return self.label or f"{self.service} {self.noun}"


def hexadecimal(digits: int = 17) -> str:
    """Return a fresh identifier in the digits that EC2 uses."""
    return secrets.token_hex((digits + 1) // 2)[:digits]


def fresh_uuid() -> str:
    """Return a fresh UUID, version 4."""
    return str(uuid.uuid4())


def upper(digits: int) -> str:
    """Return a fresh identifier of capitals and digits, as IAM and RDS use."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "".join(secrets.choice(alphabet) for _ in range(digits))


def stable_hex(text: str, digits: int) -> str:
    """Return digits that depend on nothing but `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def request_id() -> str:
    """Return a request id as API errors carry."""
    return fresh_uuid()


def arn(tail: str) -> str:
    """Form an ARN from its service on."""
    return f"arn:{PARTITION}:{tail}"
