"""The simulated Google Cloud provider: strict by the SDK's types, with the names and outputs that Google gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloud.differences import Comparison
from sandbox.cloud.errors import CloudError
from sandbox.cloud.naming import autoname
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.provider import Draft, SimulatedProvider
from sandbox.cloud.sdk_types import Problem, SdkType
from sandbox.cloud.store import Resource

PROJECT_NUMBER = "100000000001"
"""Number of every simulated project."""

BUCKET = "gcp:storage/bucket:Bucket"
ACCOUNT = "gcp:serviceaccount/account:Account"
POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
POOL_PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
KEY_RING = "gcp:kms/keyRing:KeyRing"
CRYPTO_KEY = "gcp:kms/cryptoKey:CryptoKey"


@dataclass(frozen=True)
class GcpType:
    """What is known of a type beyond the SDK.

    Attributes:
        id: template of the id, over inputs and ``{project}``.
        outputs: templates of computed outputs, over the same and ``{id}``.
        replaces: inputs that cannot change in place.
        patterns: input to the expression its value must match.
        defaults: what an input is while nobody sets it.
        autoname: input that gets a generated name.
        references: input to the type that it names, by id or one of its outputs.
    """

    id: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    replaces: frozenset[str] = frozenset()
    patterns: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    autoname: str = "name"
    references: Mapping[str, str] = field(default_factory=dict)


_POOL_NAME = "projects/{number}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
_MEMBER = (
    r"(?:user|group|serviceAccount|domain|principal|principalSet|projectOwner|projectEditor|projectViewer|deleted):.+"
    r"|allUsers|allAuthenticatedUsers"
)
_ROLE = r"roles/[\w.]+|(?:projects|organizations)/[\w.:-]+/roles/[\w.]+"

TYPES: Mapping[str, GcpType] = {
    BUCKET: GcpType(
        id="{name}",
        outputs={
            "selfLink": "https://www.googleapis.com/storage/v1/b/{name}",
            "url": "gs://{name}",
            "projectNumber": PROJECT_NUMBER,
        },
        replaces=frozenset({"name", "project", "location", "customPlacementConfig", "enableObjectRetention"}),
        # https://cloud.google.com/storage/docs/buckets#naming
        patterns={"name": r"(?!goog)[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]"},
        defaults={"storageClass": "STANDARD", "forceDestroy": False, "publicAccessPrevention": "inherited"},
    ),
    ACCOUNT: GcpType(
        id="projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        outputs={
            "email": "{accountId}@{project}.iam.gserviceaccount.com",
            "member": "serviceAccount:{accountId}@{project}.iam.gserviceaccount.com",
            "name": "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        },
        replaces=frozenset({"accountId", "project"}),
        # https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/create
        patterns={"accountId": r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])"},
        defaults={"disabled": False},
        autoname="accountId",
    ),
    POOL: GcpType(
        id="projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}",
        outputs={"name": _POOL_NAME, "state": "ACTIVE"},
        replaces=frozenset({"workloadIdentityPoolId", "project"}),
        patterns={"workloadIdentityPoolId": r"(?!gcp-)[a-z0-9-]{4,32}"},
        defaults={"disabled": False},
    ),
    POOL_PROVIDER: GcpType(
        id="projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}/providers/"
        "{workloadIdentityPoolProviderId}",
        outputs={"name": _POOL_NAME + "/providers/{workloadIdentityPoolProviderId}", "state": "ACTIVE"},
        replaces=frozenset({"workloadIdentityPoolId", "workloadIdentityPoolProviderId", "project"}),
        patterns={"workloadIdentityPoolProviderId": r"(?!gcp-)[a-z0-9-]{4,32}"},
        defaults={"disabled": False},
        references={"workloadIdentityPoolId": POOL},
    ),
    KEY_RING: GcpType(
        id="projects/{project}/locations/{location}/keyRings/{name}",
        replaces=frozenset({"name", "location", "project"}),
        patterns={"name": r"[\w-]{1,63}"},
    ),
    CRYPTO_KEY: GcpType(
        id="{keyRing}/cryptoKeys/{name}",
        replaces=frozenset({"name", "keyRing", "purpose", "importOnly", "destroyScheduledDuration"}),
        patterns={"name": r"[\w-]{1,63}", "rotationPeriod": r"\d+(?:\.\d+)?s"},
        defaults={"purpose": "ENCRYPT_DECRYPT"},
        references={"keyRing": KEY_RING},
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": GcpType(
        id="b/{bucket}/{role}/{member}",
        replaces=frozenset({"bucket", "member", "role", "condition"}),
        patterns={"member": _MEMBER, "role": _ROLE},
        references={"bucket": BUCKET},
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": GcpType(
        id="{serviceAccountId}/{role}/{member}",
        replaces=frozenset({"serviceAccountId", "member", "role", "condition"}),
        patterns={"member": _MEMBER, "role": _ROLE},
        references={"serviceAccountId": ACCOUNT},
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": GcpType(
        id="{cryptoKeyId}/{role}/{member}",
        replaces=frozenset({"cryptoKeyId", "member", "role", "condition"}),
        patterns={"member": _MEMBER, "role": _ROLE},
        references={"cryptoKeyId": CRYPTO_KEY},
    ),
    "gcp:projects/iAMMember:IAMMember": GcpType(
        id="{project}/{role}/{member}",
        replaces=frozenset({"project", "member", "role", "condition"}),
        patterns={"member": _MEMBER, "role": _ROLE},
    ),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": GcpType(
        id="{project}/audit_config/{service}",
        replaces=frozenset({"project", "service"}),
        patterns={"service": r"allServices|[a-z]+\.googleapis\.com"},
    ),
    "gcp:projects/iAMCustomRole:IAMCustomRole": GcpType(
        id="projects/{project}/roles/{roleId}",
        outputs={"name": "projects/{project}/roles/{roleId}"},
        replaces=frozenset({"roleId", "project"}),
        # https://cloud.google.com/iam/docs/creating-custom-roles
        patterns={"roleId": r"[A-Za-z0-9_.]{3,64}"},
        defaults={"stage": "GA"},
    ),
    "gcp:projects/service:Service": GcpType(
        id="{project}/{service}",
        replaces=frozenset({"project", "service"}),
        patterns={"service": r"[a-z0-9-]+\.googleapis\.com"},
    ),
}


class GcpProvider(SimulatedProvider):
    """One configured instance; resources without a project of their own are in the provider's."""

    package = "gcp"

    def account(self, inputs: Mapping[str, Any]) -> str:
        project = inputs.get("project") or self.config.get("project")
        return "" if project is UNKNOWN else str(project or "")

    def defaults(
        self, kind: SdkType, name: str, inputs: dict[str, Any], old: Mapping[str, Any], seed: bytes
    ) -> dict[str, Any]:
        property = self._type(kind.token).autoname
        if property not in kind.inputs or property in kind.required or property in inputs:
            return {}
        if property in old and property in old.get("__defaults", ()):
            return {property: old[property], "__defaults": [property]}
        return {property: autoname(name, seed, 30 if property == "accountId" else 63).lower(), "__defaults": [property]}

    def problems(self, kind: SdkType, inputs: Mapping[str, Any]) -> list[Problem]:
        found = []
        if "project" in kind.inputs and not inputs.get("project") and not self.config.get("project"):
            found.append(Problem("project", "project: required field is not set"))
        for name, pattern in self._type(kind.token).patterns.items():
            value = inputs.get(name)
            if isinstance(value, str) and not re.fullmatch(pattern, value):
                found.append(Problem(name, f"{name} {value!r} does not match the pattern {pattern}"))
        if kind.token == POOL_PROVIDER:
            kinds = [name for name in ("aws", "oidc", "saml", "x509") if inputs.get(name)]
            if len(kinds) != 1:
                found.append(Problem("oidc", "exactly one of aws, oidc, saml, x509 must be given"))
            if inputs.get("oidc") and not inputs.get("attributeMapping"):
                found.append(Problem("attributeMapping", "an OIDC provider must map google.subject"))
        return found

    def comparison(self, kind: SdkType) -> Comparison:
        type = self._type(kind.token)
        return Comparison(
            replacing=kind.replacing | type.replaces,
            defaults={name: value for name, value in type.defaults.items() if name in kind.inputs},
            name=type.autoname,
        )

    def implied(self, kind: SdkType, inputs: Mapping[str, Any]) -> dict[str, Any]:
        implied: dict[str, Any] = {}
        if "project" in kind.outputs:
            implied["project"] = inputs.get("project") or self.config.get("project") or UNKNOWN
        if "effectiveLabels" in kind.outputs:
            labels = {**(self.config.get("defaultLabels") or {}), **(inputs.get("labels") or {})}
            implied["effectiveLabels"] = implied["pulumiLabels"] = labels
        return implied

    def make(self, draft: Draft) -> Resource:
        type = self._type(draft.kind.token)
        for name, token in type.references.items():
            self._must_exist(str(draft.inputs.get(name, "")), token, draft)
        id = type.id.format_map({**draft.inputs, "project": draft.account})
        project = "" if draft.kind.token == BUCKET else draft.account
        for taken in self.store.find(id, draft.kind.token):
            if project in ("", taken.account):
                raise CloudError(
                    f"Error creating {draft.kind.token.rpartition(':')[2]}: googleapi: Error 409: "
                    f"{id} already exists, alreadyExists"
                )
        return self.stored(draft, id, self._outputs(draft, type, id))

    def alter(self, resource: Resource, draft: Draft) -> Resource:
        outputs = self._outputs(draft, self._type(draft.kind.token), resource.id)
        return self.stored(draft, resource.id, {**resource.outputs, **outputs}, resource.number)

    def destroy(self, resource: Resource) -> None:
        self.store.remove(resource)

    def look_up(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        project = args.get("projectId") or self.config.get("project")
        if token == "gcp:organizations/getProject:getProject":  # noqa: S105 (a function's token)
            return {"projectId": project, "id": f"projects/{project}", "number": PROJECT_NUMBER, "name": project}
        if token == "gcp:storage/getProjectServiceAccount:getProjectServiceAccount":  # noqa: S105
            email = f"service-{PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
            member = f"serviceAccount:{email}"
            return {"emailAddress": email, "member": member, "id": email, "project": project}
        return super().look_up(token, args)

    def existing(self, kind: SdkType, resource_id: str, known: Mapping[str, Any]) -> Resource | None:
        found = self.store.find(resource_id, kind.token)
        return found[0] if found else None

    def _type(self, token: str) -> GcpType:
        return TYPES.get(token) or GcpType(id="projects/{project}/" + token.split(":")[1] + "/{name}")

    def _must_exist(self, word: str, token: str, draft: Draft) -> None:
        for other in self.store.list("gcp", token):
            if word in (other.id, *other.outputs.values()) or other.id.endswith(f"/{word}"):
                return
        raise CloudError(
            f"Error creating {draft.kind.token.rpartition(':')[2]}: googleapi: Error 404: {word} not found, notFound"
        )

    def _outputs(self, draft: Draft, type: GcpType, id: str) -> dict[str, Any]:
        words = {**draft.inputs, "project": draft.account, "number": PROJECT_NUMBER, "id": id}
        computed = {name: template.format_map(words) for name, template in type.outputs.items()}
        given = {name: value for name, value in draft.inputs.items() if not name.startswith("__")}
        made_at = {"timeCreated": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z"}
        return {**made_at, **type.defaults, **given, **self.implied(draft.kind, draft.inputs), **computed}
