"""What Loki is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.observability.written import as_yaml
from settings.observability import LogsSettings

PORT, GRPC_PORT, GOSSIP_PORT = 3100, 9095, 7946
DATA = "/data"

SCHEMA_FROM = "2026-01-01"
"""First day of the schema: before the platform's first line. Another schema starts on a later day, beside this one."""

DELETE_AFTER = "2h"
"""How long a line that is past its time is kept, so that who reads it now can go on."""


@dataclass(frozen=True)
class LogBucket:
    """Where lines are kept on Amazon S3.

    Attributes:
        name: name of the bucket.
        region: its AWS Region.
    """

    name: str
    region: str


def server_configuration(settings: LogsSettings, members: Sequence[str], bucket: LogBucket | None) -> str:
    """Write ``loki.yaml`` (https://grafana.com/docs/loki/latest/configure/).

    Args:
        settings: the stack's ``observability.logs`` section.
        members: host names of all servers.
        bucket: where lines are kept; None for the server's own volume.
    """
    store = "s3" if bucket else "filesystem"
    document: dict[str, Any] = {
        # Whoever writes or reads says as which tenant.
        "auth_enabled": True,
        "analytics": {"reporting_enabled": False},
        "server": {"http_listen_port": PORT, "grpc_listen_port": GRPC_PORT, "log_format": "json", "log_level": "warn"},
        "common": {
            "path_prefix": DATA,
            "replication_factor": settings.replication,
            "ring": {"kvstore": {"store": "memberlist" if settings.copies > 1 else "inmemory"}},
            **({} if settings.copies > 1 else {"instance_addr": "127.0.0.1"}),
        },
        **(_gossip(members) if settings.copies > 1 else {}),
        "schema_config": {
            "configs": [
                {
                    "from": SCHEMA_FROM,
                    "store": "tsdb",
                    "object_store": store,
                    "schema": "v13",
                    "index": {"prefix": "index_", "period": "24h"},
                }
            ]
        },
        "storage_config": {
            **(
                {"aws": {"bucketnames": bucket.name, "region": bucket.region}}
                if bucket
                else {"filesystem": {"directory": f"{DATA}/chunks"}}
            )
        },
        "ingester": {
            # What is in no chunk of the storage yet survives a crash in the log beside it.
            "wal": {"enabled": True, "dir": f"{DATA}/wal", "flush_on_shutdown": True},
            "chunk_encoding": "snappy",
        },
        "compactor": {
            "working_directory": f"{DATA}/compactor",
            "retention_enabled": True,
            "retention_delete_delay": DELETE_AFTER,
            "delete_request_store": store,
        },
        "limits_config": {
            "retention_period": f"{settings.retention_days * 24}h",
            "ingestion_rate_mb": settings.megabytes_per_second,
            "ingestion_burst_size_mb": settings.megabytes_per_second * 2,
            "max_label_names_per_series": 10,
            "allow_structured_metadata": True,
            "volume_enabled": True,
        },
    }
    return as_yaml(document)


def _gossip(members: Sequence[str]) -> dict[str, Any]:
    return {"memberlist": {"join_members": [f"{member}:{GOSSIP_PORT}" for member in members]}}
