"""How objects of the platform are told apart (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/)."""

from __future__ import annotations

from settings import PROJECT

NAME = "app.kubernetes.io/name"
"""Label that says what a pod is; selectors and network policies go by it alone."""


def selector(name: str) -> dict[str, str]:
    """Return the labels by which the pods of a workload are found; they can never change."""
    return {NAME: name}


def labels(name: str) -> dict[str, str]:
    """Return the labels of every object of a workload."""
    return {NAME: name, "app.kubernetes.io/part-of": PROJECT, "app.kubernetes.io/managed-by": "pulumi"}
