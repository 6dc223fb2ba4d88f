"""Type tokens of AWS's resources, those of older releases of the provider beside today's."""

from __future__ import annotations

VPC_ENDPOINT = ("aws:ec2/vpcEndpoint:VpcEndpoint",)
VPC = ("aws:ec2/vpc:Vpc", "aws:ec2/defaultVpc:DefaultVpc")
SUBNET = ("aws:ec2/subnet:Subnet", "aws:ec2/defaultSubnet:DefaultSubnet")
FLOW_LOG = ("aws:ec2/flowLog:FlowLog",)
SECURITY_GROUP = ("aws:ec2/securityGroup:SecurityGroup",)
DEFAULT_SECURITY_GROUP = ("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",)
SECURITY_GROUP_RULE = ("aws:ec2/securityGroupRule:SecurityGroupRule",)
INGRESS_RULE = ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",)
EGRESS_RULE = ("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",)
OPENINGS = SECURITY_GROUP + DEFAULT_SECURITY_GROUP + SECURITY_GROUP_RULE + INGRESS_RULE
"""Whatever may let traffic in."""

NETWORK_ACL = ("aws:ec2/networkAcl:NetworkAcl", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl")
NETWORK_ACL_RULE = ("aws:ec2/networkAclRule:NetworkAclRule",)
ROUTE = ("aws:ec2/route:Route",)
ROUTE_TABLE = ("aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable")
ROUTE_TABLE_ASSOCIATION = ("aws:ec2/routeTableAssociation:RouteTableAssociation",)
INTERNET_GATEWAY = ("aws:ec2/internetGateway:InternetGateway",)
INSTANCE = ("aws:ec2/instance:Instance",)
LAUNCH_TEMPLATE = ("aws:ec2/launchTemplate:LaunchTemplate",)

LOAD_BALANCER = (
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:alb/loadBalancer:LoadBalancer",
    "aws:applicationloadbalancing/loadBalancer:LoadBalancer",
    "aws:elasticloadbalancingv2/loadBalancer:LoadBalancer",
)
LISTENER = (
    "aws:lb/listener:Listener",
    "aws:alb/listener:Listener",
    "aws:applicationloadbalancing/listener:Listener",
    "aws:elasticloadbalancingv2/listener:Listener",
)
WEB_ACL_ASSOCIATION = ("aws:wafv2/webAclAssociation:WebAclAssociation",)

DATABASE = ("aws:rds/instance:Instance",)
DATABASE_CLUSTER = ("aws:rds/cluster:Cluster",)
CLUSTER_INSTANCE = ("aws:rds/clusterInstance:ClusterInstance",)
PARAMETER_GROUP = ("aws:rds/parameterGroup:ParameterGroup",)
CLUSTER_PARAMETER_GROUP = ("aws:rds/clusterParameterGroup:ClusterParameterGroup",)
SUBNET_GROUP = ("aws:rds/subnetGroup:SubnetGroup",)
CACHE_SUBNET_GROUP = ("aws:elasticache/subnetGroup:SubnetGroup",)
REPLICATION_GROUP = ("aws:elasticache/replicationGroup:ReplicationGroup",)
CACHE_CLUSTER = ("aws:elasticache/cluster:Cluster",)
SERVERLESS_CACHE = ("aws:elasticache/serverlessCache:ServerlessCache",)
BROKER = ("aws:mq/broker:Broker",)
DATABASE_PROXY = ("aws:rds/proxy:Proxy",)
ALARM = ("aws:cloudwatch/metricAlarm:MetricAlarm",)
BACKUP_REPLICATION = ("aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",)
BACKUP_SELECTION = ("aws:backup/selection:Selection",)

BUCKET = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
BUCKET_POLICY = ("aws:s3/bucketPolicy:BucketPolicy",)
PUBLIC_ACCESS_BLOCK = ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",)
BUCKET_ENCRYPTION = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
)
BUCKET_VERSIONING = (
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:s3/bucketVersioningV2:BucketVersioningV2",
)
BUCKET_LIFECYCLE = (
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
)
BUCKET_LOGGING = ("aws:s3/bucketLogging:BucketLogging", "aws:s3/bucketLoggingV2:BucketLoggingV2")
BUCKET_LOCK = (
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2",
)
BUCKET_ACL = ("aws:s3/bucketAcl:BucketAcl", "aws:s3/bucketAclV2:BucketAclV2")

KEY = ("aws:kms/key:Key", "aws:kms/externalKey:ExternalKey", "aws:kms/replicaKey:ReplicaKey")
ROLE = ("aws:iam/role:Role",)
ROLE_POLICY = ("aws:iam/rolePolicy:RolePolicy",)
POLICY = ("aws:iam/policy:Policy",)
USER_POLICY = ("aws:iam/userPolicy:UserPolicy",)
GROUP_POLICY = ("aws:iam/groupPolicy:GroupPolicy",)
POLICY_ATTACHMENT = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
)
RESOURCE_POLICY = (
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:sqs/queue:Queue",
    "aws:sns/topic:Topic",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    "aws:ecr/repositoryPolicy:RepositoryPolicy",
    "aws:kms/keyPolicy:KeyPolicy",
)
LOG_GROUP = ("aws:cloudwatch/logGroup:LogGroup",)
REPOSITORY = ("aws:ecr/repository:Repository",)
TASK_DEFINITION = ("aws:ecs/taskDefinition:TaskDefinition",)
ECS_SERVICE = ("aws:ecs/service:Service",)
EKS_CLUSTER = ("aws:eks/cluster:Cluster",)
BACKUP_VAULT = ("aws:backup/vault:Vault",)
TOPIC = ("aws:sns/topic:Topic",)
QUEUE = ("aws:sqs/queue:Queue",)
SECRET = ("aws:secretsmanager/secret:Secret",)
