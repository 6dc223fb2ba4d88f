"""The sandbox's command line: ``python -m sandbox``; the Makefile's targets are its shorter names."""

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from sandbox import console, in_brief
from sandbox.kubernetes import ClusterError
from sandbox.protection import is_protected, lift_deletion_protection
from sandbox.recovery import recover as adopt
from sandbox.stack_files import StackFileError
from sandbox.toolchain import ToolchainError, cache_directory, ensure_pulumi
from sandbox.toolchain.kong_file import ensure_kong_file
from sandbox.toolchain.kubernetes_binaries import ensure_kubernetes, kubernetes_version
from sandbox.toolchain.kubernetes_provider import ensure_provider, find_provider
from sandbox.workspace import Sandbox, WorkspaceError

EXTRA = {"allow_extra_args": True, "ignore_unknown_options": True}
ALL_EXTRA = {**EXTRA, "allow_interspersed_args": False}
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show all that the engine displays.")]
StackName = Annotated[str, typer.Argument(help="Name of the stack, such as dev: the one of Pulumi.dev.yaml.")]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Run the program on simulated clouds, without an account.",
)
app.add_typer(console.cloud_app, name="cloud")
app.add_typer(console.faults_app, name="faults")

out = Console(highlight=False, emoji=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


@app.command()
def setup() -> None:
    """Set up what is missing on this machine, and nothing else."""
    cli = ensure_pulumi(cache_directory())
    host = "this project's" if cli.program_runner else "the official"
    out.print(f"Pulumi CLI {cli.version} at {cli.executable}, with {host} Python language host")
    with ThreadPoolExecutor() as at_once:
        # The longest of them first: what it waits for, the network and the linker, is then the others' time.
        provider = at_once.submit(ensure_provider, cache_directory(), cli)
        kubernetes = at_once.submit(ensure_kubernetes, cache_directory())
        kong = at_once.submit(ensure_kong_file, cache_directory())
    out.print(f"Kubernetes {kubernetes_version()} at {kubernetes.result()['kube-apiserver'].parent}")
    out.print(f"Official Kubernetes provider at {provider.result()}")
    out.print(f"Checker of Kong's files at {kong.result()}")


@app.command(context_settings=EXTRA)
def up(context: typer.Context, stack: StackName, verbose: Verbose = False) -> None:
    """Bring a stack up and show its outputs; further arguments go to `pulumi up`."""
    command = ("up", "--yes", "--skip-preview", "--suppress-outputs", *context.args)
    with Sandbox() as sandbox:
        pass_on(change(sandbox, stack, verbose, f"Bringing stack {stack} up", command))
        show_outputs(sandbox, stack)
    show_next_steps(stack)


@app.command(context_settings=EXTRA)
def preview(context: typer.Context, stack: StackName) -> None:
    """Show what `up` would change; further arguments go to `pulumi preview`."""
    with Sandbox() as sandbox:
        pass_on(sandbox.pulumi(stack, "preview", *context.args))


@app.command(context_settings=EXTRA)
def refresh(context: typer.Context, stack: StackName, verbose: Verbose = False) -> None:
    """Take over into the state what has changed in the clouds; further arguments go to `pulumi refresh`."""
    command = ("refresh", "--yes", "--skip-preview", *context.args)
    with Sandbox() as sandbox:
        pass_on(change(sandbox, stack, verbose, f"Refreshing stack {stack}", command))


@app.command(context_settings=EXTRA)
def destroy(
    context: typer.Context,
    stack: StackName,
    unprotect: Annotated[bool, typer.Option("--unprotect", help="Lift every protection of the stack first.")] = False,
    verbose: Verbose = False,
) -> None:
    """Take a stack down; further arguments go to `pulumi destroy`.

    What production keeps from being deleted is kept here, too, until it is lifted on purpose by --unprotect.
    """
    with Sandbox() as sandbox:
        if unprotect:
            pass_on(sandbox.pulumi(stack, "state", "unprotect", "--all", "--yes"))
            for resource in lift_deletion_protection(sandbox, stack):
                err.print(f"Switched deletion protection off: {escape(resource.type)} {escape(resource.id)}")
        # The preview finds what is protected before anything is deleted.
        command = ("destroy", "--yes", *context.args)
        code = change(sandbox, stack, verbose, f"Taking stack {stack} down", command)
        if code and not unprotect and is_protected(sandbox, stack):
            err.print(
                f"""
Stack {stack} holds resources that are protected from deletion. To take it down all the same:
  in the sandbox      make destroy STACK={stack} ARGS=--unprotect
  in a real account   switch deletion protection off at the resource (for a database:
                      aws rds modify-db-instance --no-deletion-protection …),
                      delete the images of its repositories (aws ecr batch-delete-image …),
                      then pulumi state unprotect --all, then pulumi destroy"""
            )
        if not code:
            for cluster in sandbox.existing_clusters(stack):
                cluster.remove()
        pass_on(code)


@app.command()
def recover(stack: StackName) -> None:
    """Bring a stack's state back in step with the clouds after its engine was killed."""
    with Sandbox() as sandbox:
        found = adopt(sandbox, stack)
    for urn, identifier in found.adopted.items():
        out.print(f"Adopted {escape(identifier)}: {escape(urn.rsplit('::', 1)[1])}")
    for urn in found.forgotten:
        out.print(f"Not made, will be: {escape(urn.rsplit('::', 1)[1])}")
    out.print(f"The state of {escape(stack)} is what the clouds hold; now `make up STACK={escape(stack)}`")


@app.command()
def outputs(stack: StackName) -> None:
    """Show a stack's outputs; secret ones are masked."""
    with Sandbox() as sandbox:
        show_outputs(sandbox, stack)


@app.command(context_settings=ALL_EXTRA)
def pulumi(context: typer.Context, stack: StackName) -> None:
    """Run any Pulumi command on a stack of the sandbox, such as `pulumi dev stack export`."""
    with Sandbox() as sandbox:
        pass_on(sandbox.pulumi(stack, *context.args))


@app.command(context_settings={**ALL_EXTRA, "help_option_names": []})
def kubectl(context: typer.Context, stack: StackName) -> None:
    """Run any kubectl command on the cluster of a stack, such as `get pods --all-namespaces`."""
    clusters = [cluster for cluster in Sandbox().clusters(stack) if cluster.running]
    if not clusters:
        raise WorkspaceError(f"Stack {stack} has no running cluster: make up STACK={stack}")
    program = ensure_kubernetes(cache_directory())["kubectl"]
    environment = {**os.environ, **clusters[0].environment()}
    os.execve(program, ["kubectl", *context.args], environment)  # noqa: S606 - no shell is wanted


def change(sandbox: Sandbox, stack: str, verbose: bool, title: str, command: Sequence[str]) -> int:
    """Run a command that changes a stack: displayed by the engine on a terminal, in brief in a log or a pipe."""
    if verbose or sys.stdout.isatty():
        return sandbox.pulumi(stack, *command)
    return in_brief.run(sandbox, stack, title, "one to three minutes", *command)


def pass_on(code: int) -> None:
    """End with the engine's exit code unless it is 0; if a signal has ended the engine, as a shell would say it."""
    if code:
        raise typer.Exit(code if code > 0 else 128 - code)


LONGEST_SHOWN = 600
"""Characters of an output that a table shows; a kubeconfig has more, and would push all else off the screen."""


def show_outputs(sandbox: Sandbox, stack: str) -> None:
    """Print the stack's outputs as a table."""
    values: dict[str, Any] = json.loads(sandbox.answer(stack, "stack", "output", "--json"))
    value_column = Column("Value", overflow="fold")
    table = Table("Output", value_column, title=f"Outputs of stack {stack}", title_justify="left")
    for name, value in sorted(values.items()):
        table.add_row(name, escape(shown(stack, name, value)))
    out.print(table)


def shown(stack: str, name: str, value: object) -> str:
    """Write an output for a table: what is too long for one is told by its length, and how to see it."""
    text = readable(value)
    if len(text) <= LONGEST_SHOWN:
        return text
    return f"{len(text):,} characters: make pulumi STACK={stack} ARGS='stack output {name}'"


def show_next_steps(stack: str) -> None:
    """Print what to try next."""
    steps = Table.grid("", "", padding=(0, 2), pad_edge=True)
    steps.add_row(f"make preview STACK={stack}", f"after an edit of Pulumi.{stack}.yaml: what would change")
    steps.add_row("make cloud", "what there is in the simulated clouds; with ARGS=--help, how to change it by hand")
    steps.add_row(f"make refresh STACK={stack}", "take over what has been changed by hand")
    steps.add_row(f"make pulumi STACK={stack} ARGS=stack", "any other Pulumi command")
    steps.add_row(f"make destroy STACK={stack}", "take it all down again")
    if not find_provider(cache_directory()):
        steps.add_row("make setup", "Pulumi's own Kubernetes provider instead of the sandbox's: 10 to 20 minutes, once")
    out.print("\nWhat to try next", steps, sep="\n")


def readable(value: object) -> str:
    """Write a value for people: one line for each element."""
    if isinstance(value, dict):
        return "\n".join(f"{key}: {readable(part)}" for key, part in value.items())
    if isinstance(value, list):
        return "\n".join(readable(part) for part in value)
    return value if isinstance(value, str) else json.dumps(value)


def main() -> None:
    """Run the command; what is wrong with the input or the machine is said in one message, without a traceback."""
    try:
        app()
    except (ClusterError, LookupError, console.FaultsError, StackFileError, ToolchainError, WorkspaceError) as error:
        err.print(f"[red]error:[/red] {escape(error.args[0] if error.args else repr(error))}", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
