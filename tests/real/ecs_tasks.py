"""Run tasks on an ECS of moto's; a program of its own, for the environment in which moto and boto3 are.

Usage: ``python ecs_tasks.py URL SERVICE …``; prints the ARN of the cluster in which each service has a task.
"""

import sys

import boto3  # type: ignore[import-not-found,unused-ignore]

BLOCK = "10.0.0.0/16"


def main(url: str, services: list[str]) -> None:
    network, ecs = (
        boto3.client(
            service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        for service in ("ec2", "ecs")
    )
    vpc = network.create_vpc(CidrBlock=BLOCK)["Vpc"]["VpcId"]
    network.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = network.create_subnet(VpcId=vpc, CidrBlock=BLOCK)["Subnet"]["SubnetId"]
    group = network.create_security_group(GroupName="tasks", Description="Tasks", VpcId=vpc)["GroupId"]
    cluster = ecs.create_cluster(clusterName="auterity-prod-ecs")["cluster"]["clusterArn"]
    ecs.register_task_definition(
        family="app",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "app", "image": "app:1.0.0", "memory": 512}],
    )
    for service in services:
        ecs.create_service(cluster=cluster, serviceName=service, taskDefinition="app", desiredCount=0)
        ecs.run_task(
            cluster=cluster,
            taskDefinition="app",
            launchType="FARGATE",
            group=f"service:{service}",
            networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}},
        )
    sys.stdout.write(cluster)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
