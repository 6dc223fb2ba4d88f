"""The pack on a program that is not in Python: one in YAML, run by Pulumi's own host for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.toolchain.cache import cache_directory
from sandbox.toolchain.yaml_language import ensure_yaml_language
from sandbox.workspace import Sandbox
from tests.policies.engine import Said, preview

PROGRAM = """
resources:
  entrance:
    type: aws:ec2/securityGroup:SecurityGroup
    properties:
      description: Anybody may log in
      ingress:
        - {protocol: tcp, fromPort: 22, toPort: 22, cidrBlocks: [0.0.0.0/0]}
  web:
    type: aws:ec2/securityGroup:SecurityGroup
    properties:
      description: Anybody may read
      ingress:
        - {protocol: tcp, fromPort: 443, toPort: 443, cidrBlocks: [0.0.0.0/0]}
  bucket:
    type: aws:s3/bucket:Bucket
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """Preview the program under the pack."""
    directory: Path = tmp_path_factory.mktemp("yaml")
    checkout = directory / "checkout"
    (checkout / "program").mkdir(parents=True)
    (checkout / "program" / "Main.yaml").write_text(PROGRAM)
    (checkout / "Pulumi.yaml").write_text("name: cases\nmain: program\nruntime: yaml\n")
    (checkout / "Pulumi.prod.yaml").write_text("config: {aws:region: us-east-1}\n")
    host = ensure_yaml_language(cache_directory())
    with pytest.MonkeyPatch.context() as patch, Sandbox(directory / "sandbox", checkout=checkout) as sandbox:
        patch.setenv("PATH", os.pathsep.join([str(host.parent), os.environ.get("PATH", os.defpath)]))
        return preview(sandbox, "prod")


def test_what_breaks_a_rule_of_one_resource_is_refused(said: Said) -> None:
    refused = {name for rule, name in said.violations if rule == "aws-world-reaches-web-only"}
    assert refused == {"entrance"}, said.error


def test_what_breaks_a_rule_of_the_whole_stack_is_refused(said: Said) -> None:
    assert ("aws-bucket-tls-only", "bucket") in said.violations, said.error
