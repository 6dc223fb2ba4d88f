"""A stack in a cluster that somebody else made. Nothing here knows of AWS, whose SDK takes long to load."""

from __future__ import annotations

from components.existing_cluster import ExistingCluster, ExistingClusterArgs
from components.image_names import existing_image
from composition.naming import stack_prefix
from composition.workload import run_workload
from settings import ExistingClusterSettings, StackSettings


def cluster_platform(settings: StackSettings, where: ExistingClusterSettings) -> None:
    """Compose what runs in a cluster that somebody else made."""
    name = stack_prefix()
    cluster = ExistingCluster(name, ExistingClusterArgs(where))
    if settings.app and settings.image and settings.runtimes.kubernetes:
        image = existing_image(settings.image, settings.app.architecture)
        run_workload(name, settings, settings.app, image, cluster.provider)
