"""A thin Kubernetes provider, for as long as the official one is not there: everything it knows it asks the API server.

It applies server-side, learns from a dry run what would change and what cannot, and waits until objects are ready. What
it records of an object the official provider reads as its own (`checkpointObject` of its `provider.go`), so that it can
take over at any time.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pulumi.provider.experimental import provider as sdk
from pulumi.provider.experimental.property_value import PropertyValue

from sandbox.cloud.aws.catalog.kubernetes import CLUSTER, reaches
from sandbox.cloud.caller import ENGINE, Caller
from sandbox.cloud.errors import CloudError, NeverReadyError
from sandbox.cloud.faults import Faults
from sandbox.cloud.property_values import UNKNOWN, holds_unknown, plain_map, wrap_map
from sandbox.cloud.provider import OLD_INPUTS
from sandbox.cloud.store import Store
from sandbox.kubernetes import aws_command
from sandbox.kubernetes.api import MANAGER, Api, Object, RefusedError, eks_name, read_kubeconfig
from sandbox.kubernetes.readiness import Failed, verdict

PATIENCE = 600.0
"""Seconds until an object has to be ready, or gone, unless the program says otherwise (the official provider's)."""

FORCE, SKIP, PATIENCE_ANNOTATION, AUTONAMED, REPLACE_UNREADY = (
    f"pulumi.com/{name}" for name in ("patchForce", "skipAwait", "timeoutSeconds", "autonamed", "replaceUnready")
)
"""Annotations by which a program speaks to the provider; the official one's."""

REPLACED = {
    "ConfigMap": ("enableConfigMapMutable", ("data", "binaryData")),
    "Secret": ("enableSecretMutable", ("data", "stringData")),
}
"""Kind to the provider's option that has its contents changed in place, and to those: as for the official one."""

OF_THE_SERVER = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid", "selfLink")
"""Metadata that the API server writes."""


class KubernetesProvider(sdk.Provider):
    """One configured instance: one cluster, known or, in a preview, not yet.

    Attributes:
        caller: who uses it, and from where.
    """

    package = "kubernetes"
    caller: Caller = ENGINE

    def __init__(self, store: Store, faults: Faults) -> None:
        super().__init__()
        self._store = store
        self._home = store.directory
        self._api: Api | None = None
        self._eks_name = ""
        self._namespace = "default"
        self._options: frozenset[str] = frozenset()

    # Configured

    async def check_config(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        return sdk.CheckResponse(inputs=request.new_inputs, failures=[])

    async def diff_config(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        """Take another way to a cluster in place: whether it is another cluster only its objects tell."""
        changed = [
            name
            for name in sorted({*request.old_state, *request.new_inputs})
            if request.old_state.get(name) != request.new_inputs.get(name)
        ]
        return sdk.DiffResponse(changes=bool(changed), diffs=changed)

    async def configure(self, request: sdk.ConfigureRequest) -> sdk.ConfigureResponse:
        given = plain_map(request.args)
        self._namespace = str(given.get("namespace") or "default")
        self._options = frozenset(name for name, value in given.items() if value in (True, "true"))
        if given.get("kubeconfig") is not UNKNOWN and given.get("context") is not UNKNOWN:
            environment = {
                "PATH": f"{self._home.parent / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
                aws_command.VARIABLE: str(self._home / "kubernetes"),
            }
            kubeconfig = read_kubeconfig(given.get("kubeconfig"), str(self._home.parent / "kubeconfig"), environment)
            self._api = await asyncio.to_thread(Api, kubeconfig, given.get("context"))
            self._eks_name = eks_name(kubeconfig)
        return sdk.ConfigureResponse(
            accept_secrets=True, supports_preview=True, accept_resources=True, accept_outputs=False
        )

    # Looked at

    async def check(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        """Add what the program leaves to the provider: a name, and the namespace."""
        inputs = plain_map(request.new_inputs)
        missing = [name for name in ("apiVersion", "kind") if name not in inputs]
        if missing:
            return sdk.CheckResponse(request.new_inputs, [sdk.CheckFailure(name, "must be given") for name in missing])
        metadata = dict(inputs.get("metadata") or {})
        if not metadata.get("name") and not metadata.get("generateName"):
            before = plain_map(request.old_inputs).get("metadata") or {}
            metadata["name"] = before.get("name") or _generated(request.urn, request.random_seed)
            metadata["annotations"] = {**(metadata.get("annotations") or {}), AUTONAMED: "true"}
        if self._api is not None and not metadata.get("namespace"):
            self._reach()
            try:
                if (await asyncio.to_thread(self._api.kind, inputs)).namespaced:
                    metadata["namespace"] = self._namespace
            except CloudError:
                # Its definition may come with this very deployment.
                pass
        checked = {**request.new_inputs, **wrap_map({"metadata": metadata}, request.new_inputs)}
        return sdk.CheckResponse(checked, [])

    async def diff(self, request: sdk.DiffRequest) -> sdk.DiffResponse:
        """Ask the API server what applying would change."""
        new = plain_map(request.new_inputs)
        old = plain_map(request.old_state)
        moved = [
            f"metadata.{name}"
            for name in ("name", "namespace")
            if (new.get("metadata") or {}).get(name, UNKNOWN) not in (UNKNOWN, (old.get("metadata") or {}).get(name))
        ] + [name for name in ("apiVersion", "kind") if new.get(name) != old.get(name)]
        if moved:
            return _answer(moved, replaces=moved)
        if self._api is None or holds_unknown(new):
            last = OLD_INPUTS.get()
            before = plain_map(last) if last else old
            return _answer([name for name in new if not name.startswith("__") and before.get(name) != new[name]])
        last = OLD_INPUTS.get()
        before = plain_map(last) if last else {}
        if replaced := self._contents_replaced(before, new):
            return _answer(replaced, replaces=replaced, delete_first=True)
        known = old if before == new else None
        self._reach()
        return await asyncio.to_thread(self._differences, self._api, new, request.ignore_changes, known)

    def _contents_replaced(self, before: Object, new: Object) -> list[str]:
        """List the changed contents of an object that would have to be made anew for them."""
        option, contents = REPLACED.get(str(new.get("kind")), ("", ()))
        if not before or (option in self._options and not new.get("immutable")):
            return []
        return [name for name in contents if before.get(name) != new.get(name)]

    def _differences(self, api: Api, new: Object, ignored: Sequence[str], known: Object | None) -> sdk.DiffResponse:
        """Compare what is wanted with what is; `known`: what there was when the same was wanted before."""
        live = api.get(new)
        if live is None:
            return _answer(["metadata"], replaces=["metadata"])
        if _asks_for(new, REPLACE_UNREADY) and not _is_done(api, live):
            return _answer([REPLACE_UNREADY], replaces=[REPLACE_UNREADY], delete_first=True)
        if known is not None and bare(known) == bare(live):
            return _answer([])
        try:
            would_be = api.apply(keep(new, live, ignored), dry_run=True, force=self._forces(new))
        except RefusedError as error:
            if _cannot_change(error):
                fields = error.fields or ["spec"]
                return _answer(fields, replaces=fields, delete_first=True)
            raise
        return _answer(sorted(paths_that_differ(bare(live), bare(would_be))))

    async def read(self, request: sdk.ReadRequest) -> sdk.ReadResponse:
        api = self._cluster()
        inputs, state = plain_map(request.inputs), plain_map(request.properties)
        thing = inputs or state
        if not thing:
            raise CloudError("an object is imported by a program that states its apiVersion and kind")
        live = await asyncio.to_thread(api.get, thing)
        if live is None:
            return sdk.ReadResponse("", {}, {})
        known = request.inputs or wrap_map(bare(live))
        outputs = _recorded(live, known, request.properties, request.inputs)
        return sdk.ReadResponse(request.resource_id, outputs, known)

    # Made, changed and removed

    async def create(self, request: sdk.CreateRequest) -> sdk.CreateResponse:
        new = plain_map(request.properties)
        if request.preview:
            self._reach()
            await asyncio.to_thread(self._judge, new)
            return sdk.CreateResponse("", {**request.properties, **wrap_map({"status": UNKNOWN})})
        api = self._cluster()
        if await asyncio.to_thread(api.get, new) is not None and not _asks_for(new, FORCE):
            raise CloudError(f"{_title(new)} already exists; import it, or take it over by the annotation {FORCE}")
        return sdk.CreateResponse(_id(new), await self._apply(api, new, request.properties, request.timeout))

    async def update(self, request: sdk.UpdateRequest) -> sdk.UpdateResponse:
        new = plain_map(request.news)
        if request.preview:
            return sdk.UpdateResponse({**request.olds, **request.news})
        api = self._cluster()
        live = await asyncio.to_thread(api.get, new)
        wanted = keep(new, live or {}, request.ignore_changes)
        return sdk.UpdateResponse(await self._apply(api, wanted, request.news, request.timeout))

    async def delete(self, request: sdk.DeleteRequest) -> None:
        api, thing = self._cluster(), plain_map(request.properties)
        await asyncio.to_thread(api.delete, thing)
        deadline = time.monotonic() + (request.timeout or PATIENCE)
        uid = (thing.get("metadata") or {}).get("uid")
        while (left := await asyncio.to_thread(api.get, thing)) is not None and left["metadata"]["uid"] == uid:
            if time.monotonic() > deadline:
                held = ", ".join(left["metadata"].get("finalizers", ())) or "nothing that it says"
                raise CloudError(f"{_title(thing)} is not gone in time; it is held by {held}")
            await asyncio.sleep(0.2)

    # Helpers

    def _cluster(self) -> Api:
        if self._api is None:
            raise CloudError("the cluster is not known yet: the provider's kubeconfig is an output of what is not made")
        self._reach()
        return self._api

    def _reach(self) -> None:
        """Fail where the endpoint of a cluster on EKS does not answer the caller; any other cluster always does."""
        for cluster in self._store.find(self._eks_name, CLUSTER) if self._eks_name else ():
            if not reaches(self.caller, cluster):
                place = self.caller.network or self.caller.address
                opened = ", ".join(cluster.outputs["vpcConfig"].get("publicAccessCidrs") or ())
                raise CloudError(
                    f"configured Kubernetes cluster is unreachable: dial tcp {cluster.outputs['endpoint']}: i/o timeout"
                    f" (called from {place}; public endpoint open to: {opened or 'nobody'})"
                )

    def _judge(self, new: Object) -> None:
        """Let the API server judge what a preview shows, as far as it can: what it stands on may be still to come."""
        if self._api is None or holds_unknown(new):
            return
        try:
            self._api.apply(new, dry_run=True, force=True)
        except RefusedError as error:
            if error.reason == "Invalid":
                raise CloudError(f"{_title(new)}: {error}") from None

    async def _apply(
        self, api: Api, new: Object, inputs: Mapping[str, PropertyValue], timeout: float
    ) -> dict[str, PropertyValue]:
        try:
            live = await asyncio.to_thread(api.apply, new, force=self._forces(new))
        except RefusedError as error:
            raise CloudError(f"{_title(new)}: {error}") from None
        annotations = (new.get("metadata") or {}).get("annotations") or {}
        patience = float(annotations.get(PATIENCE_ANNOTATION) or timeout or PATIENCE)
        problem = ""
        if annotations.get(SKIP) != "true":
            live, problem = await self._wait(api, live, patience)
        outputs = _recorded(live, inputs, inputs)
        if problem:
            raise NeverReadyError(f"{_title(new)}: {problem}", _id(new), dict(inputs), outputs)
        return outputs

    async def _wait(self, api: Api, live: Object, patience: float) -> tuple[Object, str]:
        """Wait until an object is ready; return it as it is then, and what is wrong if it did not become so."""
        deadline = time.monotonic() + patience
        while True:
            try:
                ready, why = await asyncio.to_thread(verdict, api, live)
            except Failed as failure:
                return live, self._explained(api, live, str(failure))
            if ready:
                return live, ""
            if time.monotonic() > deadline:
                return live, self._explained(api, live, f"not ready after {patience:.0f} s: {why}")
            await asyncio.sleep(0.2)
            found = await asyncio.to_thread(api.get, live)
            live = found or live

    def _forces(self, thing: Object) -> bool:
        return "enablePatchForce" in self._options or _asks_for(thing, FORCE)

    def _explained(self, api: Api, live: Object, problem: str) -> str:
        return "\n  ".join([problem, *api.warnings(live)[-5:]])


def bare(thing: Object, *, status: bool = False) -> Object:
    """Return an object without what the API server writes; with the `status` and the id where outputs are wanted."""
    dropped = tuple(key for key in OF_THE_SERVER if not (status and key == "uid"))
    metadata = {key: value for key, value in thing.get("metadata", {}).items() if key not in dropped}
    kept = {key: value for key, value in thing.items() if not key.startswith("__") and (status or key != "status")}
    return kept | {"metadata": metadata}


def keep(new: Object, live: Object, ignored: Sequence[str]) -> Object:
    """Return what to apply so that ignored fields stay what they are, whoever made them so.

    Without them the fields would be ours no more, and fall back to their defaults where nobody else owns them.
    """
    kept: Object = {key: value for key, value in new.items() if not key.startswith("__")}
    for path in ignored:
        *parents, last = path.split(".")
        target, source = kept, live
        for part in parents:
            target[part] = dict(target.get(part) or {})
            target, source = target[part], (source or {}).get(part) or {}
        if last in source:
            target[last] = source[last]
    return kept


def paths_that_differ(before: Any, after: Any, path: str = "") -> set[str]:
    """Return where two values differ, as paths such as ``spec.template.spec.containers[0].image``."""
    if isinstance(before, dict) and isinstance(after, dict):
        return {
            found
            for key in {*before, *after}
            for found in paths_that_differ(before.get(key), after.get(key), f"{path}.{key}" if path else key)
        }
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return {found for index, pair in pairs for found in paths_that_differ(*pair, f"{path}[{index}]")}
    return set() if before == after else {path}


def _recorded(
    live: Object, inputs: Mapping[str, PropertyValue], *like: Mapping[str, PropertyValue]
) -> dict[str, PropertyValue]:
    """Return what is recorded of an object: its outputs, what it was made of, and by which name its fields are ours."""
    return {
        **_wrapped(bare(live, status=True), *like),
        "__inputs": PropertyValue(dict(inputs)),
        "__initialApiVersion": PropertyValue(live["apiVersion"]),
        "__fieldManager": PropertyValue(MANAGER),
    }


def _wrapped(outputs: Object, *like: Mapping[str, PropertyValue]) -> dict[str, PropertyValue]:
    """Return an object as outputs; what a Secret holds is secret, also in the form that the server gives it."""
    wrapped = wrap_map(outputs, *(dict(known) for known in like))
    if outputs.get("kind") == "Secret":
        wrapped.update({key: wrapped[key].with_secret(True) for key in ("data", "stringData") if key in wrapped})
    return wrapped


def _answer(changed: Sequence[str], replaces: Sequence[str] = (), *, delete_first: bool = False) -> sdk.DiffResponse:
    kind = sdk.PropertyDiffKind.UPDATE_REPLACE if replaces else sdk.PropertyDiffKind.UPDATE
    return sdk.DiffResponse(
        changes=bool(changed),
        replaces=list(replaces),
        diffs=sorted({path.split(".")[0].split("[")[0] for path in changed}),
        detailed_diff={path: sdk.PropertyDiff(kind, input_diff=True) for path in changed},
        delete_before_replace=delete_first,
    )


def _cannot_change(error: RefusedError) -> bool:
    """Tell whether the API server refuses a change as such, and not what it would change to."""
    words = str(error)
    return error.reason == "Invalid" and any(
        said in words for said in ("immutable", "updates to statefulset spec", "may not be changed", "may not change")
    )


def _asks_for(thing: Object, annotation: str) -> bool:
    return ((thing.get("metadata") or {}).get("annotations") or {}).get(annotation) == "true"


def _is_done(api: Api, job: Object) -> bool:
    try:
        return verdict(api, job)[0]
    except Failed:
        return False


def _id(thing: Object) -> str:
    metadata = thing["metadata"]
    return "/".join(part for part in (metadata.get("namespace"), metadata["name"]) if part)


def _title(thing: Object) -> str:
    return f"{thing.get('kind')} {_id(thing)}"


def _generated(urn: str, seed: bytes) -> str:
    """Make a name of the resource's own and eight characters, as the official provider does."""
    letters = random.Random(seed)  # noqa: S311 - a name, and the same one for the same seed
    return f"{urn.rpartition('::')[2]}-" + "".join(letters.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=8))
