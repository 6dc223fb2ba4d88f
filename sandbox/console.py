"""The simulated clouds' console: look at what there is, change it behind the program's back, make operations fail."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from sandbox.cloud.aws.windows import pass_windows
from sandbox.cloud.faults import FAULTS_FILE, Faults
from sandbox.cloud.store import Store
from sandbox.workspace import Sandbox

ResourceId = Annotated[str, typer.Argument(help="Id of the resource, as `list` shows it.")]
ResourceType = Annotated[str | None, typer.Option("--type", help="Its type, where several have the same id.")]
AnyType = Annotated[str, typer.Argument(help="A type's token, such as aws:rds/instance:Instance, or * for every type.")]
Operation = Annotated[str, typer.Argument(help="create, read, update or delete.")]

cloud_app = typer.Typer(no_args_is_help=True, help="Look at the simulated clouds and change them by hand.")
faults_app = typer.Typer(no_args_is_help=True, help="Make operations of the simulated clouds fail or take long.")

out = Console(highlight=False, emoji=False)


class FaultsError(Exception):
    """What was asked for is not a fault that the simulated clouds know; the message says what they know."""


@cloud_app.command("list")
def list_resources(kind: Annotated[str, typer.Argument(help="Part of a type's name, such as rds.")] = "") -> None:
    """List what there is, in the order it was made."""
    table = Table(
        Column("Type", overflow="fold"),
        Column("Id", no_wrap=True),
        "Region",
        Column("Name in the program", overflow="fold"),
    )
    with open_store() as store:
        for resource in store.list():
            if kind in resource.type:
                table.add_row(*map(escape, (resource.type, resource.id, resource.region, resource.name)))
    out.print(table)


@cloud_app.command("show")
def show_resource(identifier: ResourceId, kind: ResourceType = None) -> None:
    """Show all properties of a resource."""
    with open_store() as store:
        out.print_json(data=dict(store.get(identifier, kind).outputs), sort_keys=True)


@cloud_app.command("set")
def set_property(
    identifier: ResourceId,
    name: Annotated[str, typer.Argument(help="Property, as `show` spells it.")],
    value: Annotated[str, typer.Argument(help="New value: JSON, or else taken as a text.")],
    kind: ResourceType = None,
) -> None:
    """Change a property behind the program's back, to see what preview and refresh make of it."""
    with open_store() as store:
        resource = store.change(identifier, name, json_or_text(value), kind)
    out.print(f"{escape(resource.id)}: {escape(name)} is now {escape(json.dumps(resource.outputs[name]))}")


@cloud_app.command("maintain")
def maintain() -> None:
    """Let all maintenance windows pass: what waits for one is done."""
    with open_store() as store:
        for resource in pass_windows(store):
            out.print(f"Maintained {escape(resource.type)} {escape(resource.id)}")


@cloud_app.command("remove")
def remove_resource(identifier: ResourceId, kind: ResourceType = None) -> None:
    """Take a resource out of the cloud behind the program's back, without asking what still uses it."""
    with open_store() as store:
        resource = store.get(identifier, kind)
        store.remove(resource)
    out.print(f"Removed {escape(resource.type)} {escape(resource.id)}")


@faults_app.command("list")
def list_faults() -> None:
    """List the faults and latencies that are set."""
    faults = read_faults()
    table = Table("Type", "Operation", "Name", "What happens")
    for fault in faults["faults"]:
        what = f"{fault['kind']} ({fault.get('times', 1)}x)"
        table.add_row(fault["type"], fault["operation"], fault.get("name", "any"), escape(what))
    for kind, operations in faults["latencies"].items():
        for operation, seconds in operations.items():
            table.add_row(kind, operation, "any", f"takes {seconds} s")
    out.print(table)


@faults_app.command("add")
def add_fault(
    kind: AnyType,
    operation: Operation,
    failure: Annotated[str, typer.Argument(help="throttling, internal, never_ready, or the message itself.")],
    name: Annotated[str | None, typer.Option(help="Only for the resource with this name in the program.")] = None,
    times: Annotated[int, typer.Option(min=1, help="How often it happens.")] = 1,
) -> None:
    """Make an operation fail."""
    fault: dict[str, Any] = {"type": kind, "operation": operation, "kind": failure, "times": times}
    if name is not None:
        fault["name"] = name
    faults = read_faults()
    faults["faults"].append(fault)
    write_faults(faults)
    list_faults()


@faults_app.command("latency")
def set_latency(
    kind: AnyType, operation: Operation, seconds: Annotated[float, typer.Argument(min=0, help="Time in seconds.")]
) -> None:
    """Make an operation take a time."""
    faults = read_faults()
    faults["latencies"].setdefault(kind, {})[operation] = seconds
    write_faults(faults)
    list_faults()


@faults_app.command("clear")
def clear_faults() -> None:
    """Take all faults and latencies away."""
    faults_file().unlink(missing_ok=True)


def faults_file() -> Path:
    """Return the file that the simulated clouds read their faults from."""
    return Sandbox().cloud_directory / FAULTS_FILE


def read_faults() -> dict[str, Any]:
    """Read the faults and latencies that are set."""
    path = faults_file()
    content: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return {"faults": content.get("faults", []), "latencies": content.get("latencies", {})}


def write_faults(content: dict[str, Any]) -> None:
    """Write faults and latencies if the simulated clouds accept them; raises FaultsError if they do not."""
    path = faults_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = path.read_text() if path.exists() else None
    path.write_text(json.dumps(content, indent=2))
    try:
        with open_store() as store:
            Faults(path.parent, store).latency("", "")
    except ValueError as error:
        path.unlink() if before is None else path.write_text(before)
        raise FaultsError(str(error)) from error


@contextmanager
def open_store() -> Iterator[Store]:
    """Open what the simulated clouds hold; the engine is not needed for it."""
    store = Store(Sandbox().cloud_directory)
    try:
        yield store
    finally:
        store.close()


def json_or_text(text: str) -> Any:
    """Read `text` as JSON, or take it as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text
