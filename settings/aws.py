"""Where on AWS a stack lives, and value types that several sections share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.base import NUMBER, Settings

Region = Annotated[str, Field(pattern=r"^(af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-[1-9]$", examples=["us-east-1"])]
"""A Region of the partition ``aws``, as in
https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html. China, GovCloud and the isolated and
sovereign partitions have other accounts, endpoints and services; nothing here was made for them.
"""

LogRetentionDays = Annotated[
    Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
    NUMBER,
]
"""Days that CloudWatch Logs can keep a log group (PutRetentionPolicy, ``retentionInDays``)."""


class AwsSettings(Settings):
    """The AWS account and Region that hold the stack."""

    region: Region = "us-east-1"
    """Region of every resource that does not say otherwise."""

    account_id: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = None
    """Account that the stack may be deployed to, 12 digits; the provider refuses any other. Unset: whichever account
    the credentials open.
    """

    permissions_boundary: Annotated[str, Field(pattern=r"^[\w+=,.@-]{1,128}$")] | None = None
    """Name of the customer managed policy of the account that bounds every role of the stack: what a role may do at
    most, whatever its own policies say. The bootstrap makes one, ``auterity-boundary``, and lets pipelines make no role
    without it. Unset: roles have no boundary, and pipelines cannot deploy the stack.
    """
