"""The process that serves every simulated provider, and the plugins that lead the engine to it."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.cloud import launcher
from sandbox.cloud.aws import control_plane
from sandbox.cloud.caller import ENGINE, Caller, from_where
from sandbox.cloud.errors import CloudError, NeverReadyError
from sandbox.cloud.faults import Faults
from sandbox.cloud.provider import OLD_INPUTS, SimulatedProvider
from sandbox.cloud.sdk_types import sdk_version
from sandbox.cloud.store import Store
from sandbox.kubernetes.provider import KubernetesProvider

AnyProvider = SimulatedProvider | KubernetesProvider


def providers() -> dict[str, type[AnyProvider]]:
    """Return the sandbox's providers by package name: simulated ones, and a real but thin one of Kubernetes."""
    from sandbox.cloud.aws.provider import AwsProvider
    from sandbox.cloud.docker import DockerProvider
    from sandbox.cloud.gcp import GcpProvider
    from sandbox.cloud.github import GithubProvider
    from sandbox.cloud.random import RandomProvider
    from sandbox.cloud.tls import TlsProvider

    simulated: list[type[AnyProvider]] = [
        AwsProvider,
        DockerProvider,
        GcpProvider,
        GithubProvider,
        RandomProvider,
        TlsProvider,
    ]
    return {provider.package: provider for provider in (*simulated, KubernetesProvider)}


class Servicer(ProviderServicer):
    """The SDK's servicer, with refusals that read as the cloud words them."""

    def __init__(self, provider: AnyProvider, version: str) -> None:
        super().__init__([], version, provider, engine_address="")

    async def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802 (the protocol's name)
        """Compare two states of a resource."""
        OLD_INPUTS.set(PropertyValue.unmarshal_map(request.old_inputs) if request.HasField("old_inputs") else None)
        return await _answered(super().Diff, request, context)


def _plainly(name: str) -> Callable[..., Any]:
    method = getattr(ProviderServicer, name)

    async def call(self: Servicer, request: Any, context: Any) -> Any:
        return await _answered(method.__get__(self), request, context)

    return call


for _name in ("CheckConfig", "Configure", "Check", "Create", "Read", "Update", "Delete", "Invoke"):
    setattr(Servicer, _name, _plainly(_name))


async def _answered(method: Callable[..., Any], request: Any, context: Any) -> Any:
    try:
        return await method(request, context)
    except Exception as error:
        # The SDK wraps whatever went wrong together with its traceback; the reason is what it wrapped.
        reason = error if isinstance(error, CloudError) else error.__context__
        if isinstance(reason, NeverReadyError):
            await context.abort_with_status(_initialization_failed(reason))
        if isinstance(reason, CloudError):
            await context.abort(grpc.StatusCode.UNKNOWN, str(reason))
        raise


class _Status:
    """What `abort_with_status` takes: a code, a text and trailing metadata."""

    def __init__(self, code: grpc.StatusCode, details: str, trailing_metadata: Any) -> None:
        self.code = code
        self.details = details
        self.trailing_metadata = trailing_metadata


def _initialization_failed(error: NeverReadyError) -> _Status:
    """Tell the engine that the resource exists but is not ready, so that its state records it."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id,
        properties=PropertyValue.marshal_map(dict(error.outputs)),
        inputs=PropertyValue.marshal_map(dict(error.inputs)),
        reasons=[str(error)],
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    return _Status(grpc.StatusCode.UNKNOWN, str(error), (("grpc-status-details-bin", status.SerializeToString()),))


class Cloud:
    """Every simulated provider over one store, served from a background thread while the context is open.

    Args:
        state_dir: holds the store (``cloud.db``) and the faults to inject (``faults.json``); made where missing.

    Attributes:
        store: what the clouds hold; it may be looked at and changed while the engine rests.
    """

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.store = Store(state_dir)
        self.faults = Faults(state_dir, self.store)
        # A socket's path may have 107 bytes at most, so it cannot live under the state directory.
        self._runtime_dir = Path(tempfile.mkdtemp(prefix="cloud-"))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulated clouds", daemon=True)
        self._providers = providers()
        self._control: asyncio.Server | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that the engine's process needs."""
        return {launcher.VARIABLE: str(self._runtime_dir / "control")}

    def __enter__(self) -> Self:
        control_plane.start_all(self.store)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.store.close()
        shutil.rmtree(self._runtime_dir, ignore_errors=True)

    def provider(self, package: str, caller: Caller = ENGINE) -> AnyProvider:
        """Make a provider instance without a server, for use in the same process.

        Args:
            package: its name.
            caller: who uses it, and from where.

        Raises:
            LookupError: no simulated provider has this package name.
        """
        if package not in self._providers:
            raise LookupError(f"no simulated provider {package!r}; there are {', '.join(sorted(self._providers))}")
        provider = self._providers[package](self.store, self.faults)
        provider.caller = caller
        return provider

    async def _listen(self) -> None:
        # mkdtemp made the directory for its owner alone, and with it the socket.
        path = self._runtime_dir / "control"
        self._control = await asyncio.start_unix_server(self._serve, path)
        path.chmod(0o600)

    async def _end(self) -> None:
        if self._control is not None:
            self._control.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one provider instance for as long as its launcher holds the connection."""
        server = None
        try:
            package, _, told = (await reader.readline()).decode().strip().partition(" ")
            try:
                provider = self.provider(package, from_where(told))
            except (CloudError, LookupError) as error:
                writer.write(f"{error}\n".encode())
                return
            server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
            servicer = Servicer(provider, sdk_version(package))
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            writer.write(f"{port}\n".encode())
            await writer.drain()
            await reader.read()
        finally:
            writer.close()
            if server is not None:
                with contextlib.suppress(asyncio.CancelledError):
                    await server.stop(grace=None)


def install_plugins(pulumi_home: Path, kubernetes: Path | None = None) -> None:
    """Install every simulated provider as a plugin under `pulumi_home`, in the version of its installed SDK.

    The engine then finds each where it would have downloaded the real one to.

    Args:
        pulumi_home: the engine's directory.
        kubernetes: the official Kubernetes provider; None installs the sandbox's own.
    """
    for package in providers():
        directory = pulumi_home / "plugins" / f"resource-{package}-v{sdk_version(package)}"
        directory.mkdir(parents=True, exist_ok=True)
        command = shlex.join([sys.executable, "-S", "-E", launcher.__file__, package])
        if kubernetes and package == KubernetesProvider.package:
            # The release that can be built is older than the option `enable_patch_force` of the SDK, and knows it by
            # this variable alone.
            command = f"env PULUMI_K8S_ENABLE_PATCH_FORCE=true {shlex.quote(str(kubernetes))}"
        plugin = directory / f"pulumi-resource-{package}"
        part = plugin.with_suffix(".part")
        part.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        part.chmod(0o755)
        part.rename(plugin)
