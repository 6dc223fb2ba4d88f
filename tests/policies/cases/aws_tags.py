"""Cases of the tags."""

from __future__ import annotations

from tests.policies.cases.model import Case, Made, breaks, keeps

TAGS = {"Environment": "prod", "ManagedBy": "pulumi", "Owner": "platform", "Project": "auterity"}
TOPIC = "aws:sns/topic:Topic"

CASES: tuple[Case, ...] = (
    breaks("aws-required-tags", "one is missing", topic=Made(TOPIC, {"tags": {"Environment": "prod"}})),
    keeps("aws-required-tags", "all", topic=Made(TOPIC, {"tags": TAGS})),
)
