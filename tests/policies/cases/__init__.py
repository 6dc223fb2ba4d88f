"""What breaks each rule and what keeps it: looked at in this process, and on the real engine."""

from __future__ import annotations

from tests.policies.cases import (
    aws_compute,
    aws_databases,
    aws_identity,
    aws_network,
    aws_storage,
    aws_stores,
    aws_tags,
    backups,
    gcp,
    kubernetes_access,
    kubernetes_pods,
    kubernetes_service,
)
from tests.policies.cases.model import Case

CASES: tuple[Case, ...] = (
    *aws_network.CASES,
    *aws_databases.CASES,
    *aws_stores.CASES,
    *aws_storage.CASES,
    *aws_identity.CASES,
    *aws_compute.CASES,
    *aws_tags.CASES,
    *kubernetes_pods.CASES,
    *kubernetes_access.CASES,
    *kubernetes_service.CASES,
    *gcp.CASES,
    *backups.CASES,
)
