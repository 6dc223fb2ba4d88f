"""Google Cloud, docker and random."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from sandbox.cloud.errors import CloudError
from sandbox.cloud.server import Cloud
from tests.cloud.hands import Hands, Made, Refused

BUCKET = "gcp:storage/bucket:Bucket"
PASSWORD = "random:index/randomPassword:RandomPassword"
IMAGE = "docker:index/image:Image"


@pytest.fixture
def gcp(cloud: Cloud) -> Hands:
    return Hands(cloud, "gcp", project="auterity-prod")


@pytest.fixture
def random(cloud: Cloud) -> Hands:
    return Hands(cloud, "random")


@pytest.fixture
def docker(cloud: Cloud) -> Hands:
    return Hands(cloud, "docker")


def test_a_bucket_has_googles_outputs(gcp: Hands) -> None:
    assert gcp.create(BUCKET, "dr", name="auterity-dr", location="US")["url"] == "gs://auterity-dr"


def test_a_buckets_name_is_taken_everywhere(cloud: Cloud, gcp: Hands) -> None:
    gcp.create(BUCKET, "dr", name="auterity-dr", location="US")
    with pytest.raises(CloudError, match="Error 409: auterity-dr already exists"):
        Hands(cloud, "gcp", project="another").create(BUCKET, "dr", name="auterity-dr", location="US")


def test_an_unknown_property_of_a_bucket_is_refused(gcp: Hands) -> None:
    with pytest.raises(Refused, match="lifecycle: unknown property"):
        gcp.create(BUCKET, "dr", location="US", lifecycle=[])


def test_a_malformed_member_is_refused(gcp: Hands) -> None:
    with pytest.raises(Refused, match="member: "):
        gcp.create("gcp:projects/iAMMember:IAMMember", "x", project="p", role="roles/viewer", member="somebody")


def test_a_member_is_added_to_a_bucket_that_exists(gcp: Hands) -> None:
    with pytest.raises(CloudError, match="Error 404: nowhere not found"):
        gcp.create(
            "gcp:storage/bucketIAMMember:BucketIAMMember",
            "x",
            bucket="nowhere",
            role="roles/storage.objectAdmin",
            member="allUsers",
        )


def test_a_bucket_is_moved_only_by_replacement(gcp: Hands) -> None:
    made = gcp.create(BUCKET, "dr", name="auterity-dr", location="US")
    assert gcp.diff(made, name="auterity-dr", location="EU").replaces == ["location"]


def test_a_password_is_as_long_as_asked_and_stays(random: Hands) -> None:
    made = random.create(PASSWORD, "p", length=32, special=False)
    assert len(made["result"]) == 32
    assert made["result"].isalnum()
    found = random.read(made)
    assert found is not None
    assert found["result"] == made["result"]


def test_a_changed_keeper_replaces(random: Hands) -> None:
    made = random.create("random:index/randomId:RandomId", "i", byteLength=4, keepers={"of": "1"})
    assert random.diff(made, byteLength=4, keepers={"of": "2"}).replaces == ["keepers.of"]


def test_a_password_shorter_than_its_parts_is_refused(random: Hands) -> None:
    with pytest.raises(Refused, match="length: expected at least 8"):
        random.create(PASSWORD, "p", length=6, minLower=4, minUpper=4)


def test_a_built_image_has_a_digest_that_follows_its_files(docker: Hands, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    build = {"context": str(tmp_path)}
    made = docker.create(IMAGE, "app", imageName="registry.example/app:1.0", build=build)
    assert made["repoDigest"].startswith("registry.example/app@sha256:")
    (tmp_path / "Dockerfile").write_text("FROM busybox\n")
    assert docker.update(made, imageName="registry.example/app:1.0", build=build)["repoDigest"] != made["repoDigest"]


REPOSITORY = "aws:ecr/repository:Repository"


@pytest.fixture
def pushed(cloud: Cloud, docker: Hands, tmp_path: Path) -> Callable[[str], Made]:
    """Push one build of the same sources after the other, each under a tag."""
    repository = Hands(cloud).create(REPOSITORY, "app", name="app", imageTagMutability="IMMUTABLE")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    made: list[Made] = []

    def push(tag: str) -> Made:
        inputs = {"imageName": f"{repository['repositoryUrl']}:{tag}", "build": {"context": str(tmp_path)}}
        made.append(docker.update(made[-1], **inputs) if made else docker.create(IMAGE, "app", **inputs))
        return made[-1]

    return push


def test_an_immutable_tag_is_pushed_once_also_when_the_sources_are_those_of_before(
    pushed: Callable[[str], Made],
) -> None:
    pushed("a")
    pushed("b")
    with pytest.raises(CloudError, match="image tag 'a' already exists in the 'app' repository and cannot be overwr"):
        pushed("a")


def test_going_back_to_sources_of_before_pushes_a_tag_of_its_own(pushed: Callable[[str], Made]) -> None:
    assert len({pushed(tag)["repoDigest"] for tag in ("a-01", "b-02", "a-03")}) == 3


def test_an_image_is_pushed_only_into_a_repository_that_exists(docker: Hands) -> None:
    registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    with pytest.raises(CloudError, match="name unknown: The repository with name 'nothing' does not exist"):
        docker.create(IMAGE, "app", imageName=f"{registry}/nothing:a")


def test_a_repository_that_holds_images_is_deleted_only_by_force(cloud: Cloud, pushed: Callable[[str], Made]) -> None:
    pushed("a")
    aws = Hands(cloud)
    repository = cloud.store.get("app", REPOSITORY)
    made = Made(REPOSITORY, "app", "app", dict(repository.inputs), dict(repository.outputs))
    with pytest.raises(CloudError, match="RepositoryNotEmptyException"):
        aws.delete(made)
    aws.delete(aws.update(made, name="app", imageTagMutability="IMMUTABLE", forceDelete=True))
    assert cloud.store.list("aws") == []


def test_a_build_without_its_dockerfile_is_refused(docker: Hands, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"build\.dockerfile: open .* no such file"):
        docker.create(IMAGE, "app", imageName="app", build={"context": str(tmp_path)})


def test_a_malformed_image_name_is_refused(docker: Hands) -> None:
    with pytest.raises(Refused, match="invalid reference format"):
        docker.create(IMAGE, "app", imageName="App:latest:1", build={})


KEY, SELF_SIGNED = "tls:index/privateKey:PrivateKey", "tls:index/selfSignedCert:SelfSignedCert"


@pytest.fixture
def tls(cloud: Cloud) -> Hands:
    return Hands(cloud, "tls")


def authority(tls: Hands) -> tuple[str, str]:
    key = tls.create(KEY, "authority", algorithm="ECDSA", ecdsaCurve="P256")["privateKeyPem"]
    made = tls.create(
        SELF_SIGNED,
        "authority",
        privateKeyPem=key,
        isCaCertificate=True,
        validityPeriodHours=24,
        allowedUses=["cert_signing"],
        subject={"commonName": "test"},
    )
    return key, made["certPem"]


def test_a_certificate_is_signed_by_its_authority_for_its_names(tls: Hands) -> None:
    authority_key, authority_pem = authority(tls)
    key = tls.create(KEY, "server", algorithm="RSA", rsaBits=2048)["privateKeyPem"]
    request = tls.create(
        "tls:index/certRequest:CertRequest",
        "server",
        privateKeyPem=key,
        dnsNames=["vault.shop.svc"],
        ipAddresses=["127.0.0.1"],
        subject={"commonName": "vault"},
    )["certRequestPem"]
    made = tls.create(
        "tls:index/locallySignedCert:LocallySignedCert",
        "server",
        certRequestPem=request,
        caPrivateKeyPem=authority_key,
        caCertPem=authority_pem,
        validityPeriodHours=12,
        allowedUses=["server_auth"],
    )
    certificate = x509.load_pem_x509_certificate(made["certPem"].encode())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority_pem.encode()))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["vault.shop.svc"]


def test_an_unknown_curve_is_refused(tls: Hands) -> None:
    with pytest.raises(Refused, match="ecdsaCurve: expected one of P224"):
        tls.create(KEY, "x", algorithm="ECDSA", ecdsaCurve="P999")


def test_what_is_no_key_signs_nothing(tls: Hands) -> None:
    with pytest.raises(CloudError, match="SelfSignedCert x"):
        tls.create(SELF_SIGNED, "x", privateKeyPem="nothing", validityPeriodHours=1, allowedUses=[])
