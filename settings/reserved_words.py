"""Names that PostgreSQL and RDS keep for themselves."""

from __future__ import annotations

_KEYWORDS = """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric system_user table tablesample then to trailing true
    union unique user using variadic verbose when where window with
"""

KEYWORDS = frozenset(_KEYWORDS.split())
"""Words that PostgreSQL 15 to 17 reserve (``pg_get_keywords()``, ``catcode`` R or T), which RDS refuses as names."""

ROLES = frozenset({"admin", "none", "public"})
"""Names of roles that RDS or PostgreSQL refuse beside those."""

ROLE_PREFIXES = ("pg_", "rds")
"""Beginnings of the names of PostgreSQL's and of RDS' own roles: ``pg_monitor``, ``rdsadmin``, ``rds_superuser``."""

DATABASES = frozenset({"rdsadmin", "template0", "template1"})
"""Databases that are there before any other."""


def role_is_reserved(name: str) -> bool:
    """Tell whether RDS for PostgreSQL refuses the name of a master user."""
    return name in KEYWORDS | ROLES or name.startswith(ROLE_PREFIXES)


def database_is_reserved(name: str) -> bool:
    """Tell whether RDS for PostgreSQL refuses the name of a first database."""
    return name in KEYWORDS | DATABASES
