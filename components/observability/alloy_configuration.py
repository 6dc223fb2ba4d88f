"""What the collectors of logs are told."""

from __future__ import annotations

import json
from collections.abc import Sequence

LABELS = ("namespace", "job", "container")
"""Labels of a stream: few, each with few values. A pod's name is beside the line, and can be asked for, too; so is
``detected_level``, which Loki finds by itself.
"""


def collector_configuration(namespaces: Sequence[str], push_url: str, tenant: str) -> str:
    """Write ``config.alloy`` (https://grafana.com/docs/alloy/latest/reference/components/loki/loki.source.kubernetes/).

    Args:
        namespaces: namespaces whose pods are read.
        push_url: address at which Loki takes lines.
        tenant: as whom.
    """
    return f"""logging {{
  level  = "warn"
  format = "json"
}}

// Each collector reads the pods of its own node.
discovery.kubernetes "pods" {{
  role = "pod"
  namespaces {{
    names = {json.dumps(list(namespaces))}
  }}
  selectors {{
    role  = "pod"
    field = "spec.nodeName=" + sys.env("NODE_NAME")
  }}
}}

discovery.relabel "pods" {{
  targets = discovery.kubernetes.pods.targets
  rule {{
    source_labels = ["__meta_kubernetes_namespace"]
    target_label  = "namespace"
  }}
  rule {{
    source_labels = ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]
    target_label  = "job"
  }}
  rule {{
    source_labels = ["__meta_kubernetes_pod_container_name"]
    target_label  = "container"
  }}
  rule {{
    source_labels = ["__meta_kubernetes_pod_name"]
    target_label  = "pod"
  }}
}}

loki.source.kubernetes "pods" {{
  targets    = discovery.relabel.pods.output
  forward_to = [loki.process.pods.receiver]
}}

loki.process "pods" {{
  stage.structured_metadata {{
    values = {{ pod = "" }}
  }}
  // The source names each stream after its container anew: namespace, pod and container already do.
  stage.label_drop {{
    values = ["instance"]
  }}
  forward_to = [loki.write.store.receiver]
}}

loki.write "store" {{
  endpoint {{
    url       = {json.dumps(push_url)}
    tenant_id = {json.dumps(tenant)}
  }}
}}
"""
