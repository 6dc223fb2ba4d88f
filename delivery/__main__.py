"""``python -m delivery``: the steps of the pipelines in .github/workflows, each of which runs anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pulumi import automation
from rich.console import Console

from delivery import engine
from delivery.changes import Changes
from delivery.comment import comment
from delivery.image import BuiltImage, ImageError, Workload, image_of

STOPPED, DIFFERS, WRONG = 1, 2, 3
"""Exit codes: this may not be deployed; the cloud, or the change, is not as expected; the call itself is wrong."""

app = typer.Typer(help="Say what a change does, and do it as it was said.", no_args_is_help=True)
images = typer.Typer(help="The images, built once before any stack is brought up.", no_args_is_help=True)
app.add_typer(images, name="image")
errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

Stack = Annotated[str, typer.Argument(help="Name of the stack.")]
Packs = Annotated[list[Path] | None, typer.Option("--policy-pack", help="Policy pack; may be given again.")]
Of = Annotated[Workload, typer.Option("--of", help="Whose image it is.")]
Out = Annotated[Path | None, typer.Option("--out", help="File for the account, which later steps read.")]


def select(stack: str) -> automation.Stack:
    """Select a stack of the project in this directory, with the credentials and the backend of the environment."""
    try:
        return automation.select_stack(stack_name=stack, work_dir=".")
    except automation.CommandError as error:
        errors.print(f"error: stack {stack} cannot be selected: {str(error).strip().splitlines()[-1]}")
        raise typer.Exit(WRONG) from error


def read(path: Path) -> Changes:
    """Read an account."""
    try:
        return Changes.read(path)
    except (OSError, ValueError) as error:
        errors.print(f"error: {path} is no account of a preview: {str(error).splitlines()[0]}")
        raise typer.Exit(WRONG) from error


@app.command()
def preview(stack: Stack, policy_pack: Packs = None, out: Out = None) -> None:
    """Say what a deployment would do. Ends with 1 if it may not be done."""
    account = engine.preview(select(stack), policy_pack or ())
    tell(account, out)
    raise typer.Exit(STOPPED if account.stopped else 0)


@app.command(name="comment")
def comment_on(accounts: Annotated[list[Path], typer.Argument(help="Accounts of previews.")]) -> None:
    """Write the comment for a pull request."""
    typer.echo(comment([read(path) for path in accounts]), nl=False)


@app.command()
def drift(stack: Stack, out: Out = None) -> None:
    """Say in what the cloud differs from the last deployment. Ends with 2 if it does."""
    account = engine.drift(select(stack))
    tell(account, out)
    raise typer.Exit(STOPPED if account.error else DIFFERS if account.changes else 0)


@app.command()
def deploy(
    stack: Stack,
    agreed: Annotated[Path, typer.Option(help="Account of the preview that was approved.")],
    policy_pack: Packs = None,
    out: Out = None,
) -> None:
    """Do what was agreed on, or nothing. Ends with 2 if it would be something else by now."""
    expected = read(agreed)
    try:
        account = engine.deploy(select(stack), expected, policy_pack or ())
    except engine.DifferentError as error:
        errors.print(f"error: {error}")
        raise typer.Exit(DIFFERS) from error
    tell(account, out)
    raise typer.Exit(STOPPED if account.stopped else 0)


@app.command()
def refresh(stack: Stack) -> None:
    """Take over how the cloud is. Ends with 2 if creations were cut off, whose resources somebody has to look for."""
    account, cut_off = engine.refresh(select(stack))
    tell(account, None)
    for urn in cut_off:
        typer.echo(f"- `{urn.rpartition('::')[2]}` was being created when a deployment was cut off: `{urn}`")
    raise typer.Exit(STOPPED if account.error else DIFFERS if cut_off else 0)


@app.command()
def cancel(stack: Stack) -> None:
    """Take away the lock that a deployment left which was cut off. Nobody else may be at work on the stack."""
    try:
        select(stack).cancel()
    except automation.CommandError as error:
        errors.print(f"error: {str(error).strip().splitlines()[-1]}")
        raise typer.Exit(STOPPED) from error
    typer.echo(f"The lock of {stack} is gone; refresh it next.")


@app.command()
def destroy(stack: Stack) -> None:
    """Delete everything that a stack has made, unless it is protected."""
    account = engine.destroy(select(stack))
    tell(account, None)
    raise typer.Exit(STOPPED if account.stopped else 0)


@images.command()
def show(stack: Stack, of: Of = Workload.APP) -> None:
    """Print name and registry of an image that a stack runs, as GitHub takes outputs of a step."""
    image = sources(stack, of)
    typer.echo(f"reference={image.reference}\nregistry={image.registry}")


@images.command()
def build(stack: Stack, of: Of = Workload.APP) -> None:
    """Build an image that a stack runs, under the name that it has there, unless its registry has it.

    Prints whether it was built, as GitHub takes outputs of a step.
    """
    image = sources(stack, of)
    try:
        there = image.published()
        if not there:
            image.make()
    except ImageError as error:
        errors.print(f"error: {error}")
        raise typer.Exit(STOPPED) from error
    typer.echo(f"built={'' if there else 'yes'}")


def sources(stack: str, of: Workload) -> BuiltImage:
    """Read what an image of a stack is built from."""
    try:
        return image_of(Path(f"Pulumi.{stack}.yaml"), of)
    except ImageError as error:
        errors.print(f"error: {error}")
        raise typer.Exit(WRONG) from error


def tell(account: Changes, out: Path | None) -> None:
    """Show an account, and keep it."""
    typer.echo(comment([account]), nl=False)
    if out:
        account.write(out)


if __name__ == "__main__":
    app()
