"""RDS Proxy in front of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.database import PORT, RdsPostgres
from components.iam import role_with, service_trust
from components.secrets import SecretReference, may_read
from components.security_group import let_in, let_out, listening_group
from settings.database_proxy import DatabaseProxySettings


@dataclass(frozen=True)
class RdsProxyArgs:
    """What the proxy needs to know.

    Attributes:
        settings: the stack's ``database_proxy`` section.
        account: the account it lives in.
        database: what it stands before.
        logins: where the logins are by which clients come through it; one that is not here is refused.
        vpc_id: VPC of the subnets.
        subnet_ids: zone letter to subnet id, in at least two zones.
        log_key_arn: ARN of the KMS key that encrypts log groups.
        clients: who may connect: a name for each source, to the id of its security group.
    """

    settings: DatabaseProxySettings
    account: AwsAccount
    database: RdsPostgres
    logins: Sequence[SecretReference]
    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    log_key_arn: pulumi.Input[str]
    clients: Mapping[str, pulumi.Input[str]]


class RdsProxy(pulumi.ComponentResource):
    """A proxy that shares the database's connections among clients and keeps them through a fail-over.

    Clients sign in to it with the same name and password as to the database, by TLS. Its own certificate is one that
    everybody trusts, not one of RDS's authorities.
    """

    endpoint: pulumi.Output[str]
    """Host name."""

    port: int
    """TCP port."""

    proxy_name: pulumi.Output[str]
    """Name of the proxy, the ``ProxyName`` of its metrics."""

    security_group_id: pulumi.Output[str]
    """Security group of the proxy."""

    def __init__(self, name: str, args: RdsProxyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:database:RdsProxy", name, None, opts)
        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        proxy_name = f"{name}-postgres"
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-postgres-proxy",
            name=f"/aws/rds/proxy/{proxy_name}",
            retention_in_days=settings.log_retention_days,
            kms_key_id=args.log_key_arn,
            opts=own,
        )
        security_group = self._security_group(name, args)
        proxy = aws.rds.Proxy(
            f"{name}-postgres",
            name=proxy_name,
            engine_family="POSTGRESQL",
            require_tls=True,
            auths=[
                aws.rds.ProxyAuthArgs(
                    auth_scheme="SECRETS",
                    iam_auth="DISABLED",
                    client_password_auth_type="POSTGRES_SCRAM_SHA_256",  # noqa: S106 - the name of a method
                    secret_arn=login.arn,
                )
                for login in args.logins
            ],
            role_arn=self._role(name, args),
            vpc_subnet_ids=list(args.subnet_ids.values()),
            vpc_security_group_ids=[security_group.id],
            idle_client_timeout=settings.idle_client_seconds,
            # It would log the text of statements.
            debug_logging=False,
            # RDS would make the log group itself, without retention or key.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[log_group]),
        )
        targets = aws.rds.ProxyDefaultTargetGroup(
            f"{name}-postgres",
            db_proxy_name=proxy.name,
            connection_pool_config=aws.rds.ProxyDefaultTargetGroupConnectionPoolConfigArgs(
                max_connections_percent=settings.max_connections_percent,
                max_idle_connections_percent=settings.max_idle_connections_percent,
                connection_borrow_timeout=settings.borrow_timeout_seconds,
            ),
            opts=own,
        )
        target = aws.rds.ProxyTarget(
            f"{name}-postgres",
            db_proxy_name=proxy.name,
            target_group_name=targets.name,
            db_instance_identifier=args.database.identifier,
            opts=own,
        )
        # By way of the target: without a database behind it the proxy refuses everybody.
        self.endpoint = pulumi.Output.all(proxy.endpoint, target.id).apply(lambda values: str(values[0]))
        self.port = PORT
        self.proxy_name = proxy.name
        self.security_group_id = security_group.id
        self.register_outputs(
            {
                "endpoint": self.endpoint,
                "port": self.port,
                "proxy_name": self.proxy_name,
                "security_group_id": self.security_group_id,
            }
        )

    def _role(self, name: str, args: RdsProxyArgs) -> pulumi.Output[str]:
        """Let the proxy read the secrets of its clients, and no other."""
        trust = service_trust("rds.amazonaws.com", args.account.account_id)
        statements = may_read(args.account, *args.logins)
        return role_with(f"{name}-postgres-proxy", "RDS Proxy of the platform's database", trust, statements, self)

    def _security_group(self, name: str, args: RdsProxyArgs) -> aws.ec2.SecurityGroup:
        """Let the named clients in, and out to the database alone, which lets the proxy in."""
        own = pulumi.ResourceOptions(parent=self)
        group = listening_group(
            f"{name}-postgres-proxy",
            "RDS Proxy of the platform",
            args.vpc_id,
            "PostgreSQL",
            PORT,
            args.clients,
            self,
        )
        database = args.database.security_group_id
        let_out(f"{name}-postgres-proxy-to-postgres", group.id, database, PORT, "PostgreSQL", own)
        let_in(f"{name}-postgres-from-proxy", database, group.id, PORT, "PostgreSQL from proxy", own)
        return group
