"""What every pod of the platform gives up (Pod Security Standards, 'restricted')."""

from __future__ import annotations

import pulumi_kubernetes as kubernetes

core = kubernetes.core.v1


def pod_security(user: int) -> core.PodSecurityContextArgs:
    """Run all containers as one user that is not root, with the runtime's own filter of system calls."""
    return core.PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=user,
        run_as_group=user,
        fs_group=user,
        # Not file by file, at each start, on a volume that is right already.
        fs_group_change_policy="OnRootMismatch",
        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security() -> core.SecurityContextArgs:
    """Take away every capability, the way to more of them, and the right to write to the image."""
    return core.SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=core.CapabilitiesArgs(drop=["ALL"]),
    )
