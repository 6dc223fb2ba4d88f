"""What the passwords that the platform makes look like, in AWS and in a cluster."""

PASSWORD_LENGTH = 32
"""Letters and digits of a password, about 190 bits. Amazon MQ refuses ``,``, ``:`` and ``=`` and ElastiCache wants 16
to 128 characters; without punctuation a password also stands in a URL as it is.
"""


def versions_in_use(version: int) -> tuple[int, ...]:
    """Return which versions of a password are accepted: the one in use, and the one before it while clients change."""
    return (version, version - 1) if version > 1 else (version,)
