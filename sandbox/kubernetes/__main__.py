"""The sandbox's cluster by hand: ``python -m sandbox.kubernetes``."""

import os
import sys
from typing import Annotated

import typer

from sandbox.kubernetes.cluster import Cluster, ClusterError, environment_of
from sandbox.toolchain import ToolchainError, cache_directory
from sandbox.toolchain.kubernetes_binaries import ensure_kubernetes
from sandbox.workspace import default_home

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="A real Kubernetes API on this machine.")


def own_cluster() -> Cluster:
    """Return the cluster of this checkout's sandbox."""
    return Cluster(default_home() / "kubernetes")


@app.command()
def start() -> None:
    """Start the cluster, building what is missing first."""
    cluster = own_cluster()
    cluster.start()
    typer.echo(f"Kubernetes {cluster.version} at {cluster.endpoint}")


@app.command()
def stop() -> None:
    """Stop it; its objects stay on disk."""
    own_cluster().stop()


@app.command()
def remove() -> None:
    """Stop it and remove all that it left."""
    own_cluster().remove()


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def kubectl(context: typer.Context, _: Annotated[str, typer.Option(hidden=True)] = "") -> None:
    """Run any kubectl command on it, such as `get pods --all-namespaces`."""
    cluster = own_cluster()
    if not cluster.running:
        raise ClusterError("the sandbox's Kubernetes does not run: python -m sandbox.kubernetes start")
    program = ensure_kubernetes(cache_directory())["kubectl"]
    os.execve(  # noqa: S606 - no shell is wanted
        program, ["kubectl", *context.args], {**os.environ, **environment_of(cluster)}
    )


if __name__ == "__main__":
    try:
        app(prog_name="python -m sandbox.kubernetes")
    except (ClusterError, ToolchainError) as error:
        sys.exit(f"error: {error}")
