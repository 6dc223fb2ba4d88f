"""The table of prices: data with a date and sources, checked as it is read."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

TABLE = Path(__file__).parent / "prices.yaml"

HOURS = 730
"""Hours of a month, as the vendors' calculators count it: 8,760 / 12."""

OLD_DAYS = 180
"""Days after which the table is said to be old: vendors change a list price about once in a year, mostly downwards."""

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CostError(ValueError):
    """What was given cannot be read; the message names key, value and what is allowed."""


class Part(BaseModel):
    """Base of the table's models: frozen, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Price(Part):
    """A price for one unit."""

    price: Amount
    """In the table's currency."""

    unit: Literal["hour", "vCPU-hour", "GB-hour", "LCU-hour", "month", "GB-month", "GB", "million"]
    """What it is for; those of an hour are paid `HOURS` times in a month."""

    page: str
    """Name of the page where the vendor says it."""

    looked_up: str | None = None
    """Name of the page where it was read; None if it was written from knowledge."""

    note: str = ""
    """How it was computed."""

    @property
    def monthly(self) -> float:
        """What a unit that is there all the time costs in a month."""
        return self.price * (HOURS if self.unit.endswith("hour") else 1)


class Usage(Part):
    """What nobody can tell from a stack: how much of it is used. Each is for one resource and a month."""

    nat_gb: Amount
    """Gigabytes through a NAT gateway."""

    load_balancer_capacity_units: Amount
    """Capacity units of a load balancer, at all times."""

    waf_million_requests: Amount
    """Millions of requests that a web ACL sees."""

    log_group_gb: Amount
    """Gigabytes that a log group takes in."""

    image_gb: Amount
    """Gigabytes that a repository of images holds."""

    bucket_gb: Amount
    """Gigabytes that a bucket holds."""

    backup_gb: Amount
    """Gigabytes that a vault, or the replica of a database's backups, holds."""


class Table(Part):
    """Prices, and what they are multiplied by."""

    read: date
    """When they were gathered."""

    currency: Literal["USD"]
    pages: dict[str, Annotated[str, Field(pattern=r"^https://")]]
    prices: dict[str, Price]
    usage: Usage
    free: tuple[str, ...]
    """Types that cost nothing by themselves, with ``*`` for any part."""

    @model_validator(mode="after")
    def _knows_its_pages(self) -> Self:
        for name, price in self.prices.items():
            for page in (price.page, price.looked_up):
                if page is not None and page not in self.pages:
                    raise ValueError(f"prices.{name}: page {page!r} given, allowed: {', '.join(self.pages)}")
        return self

    def is_free(self, type: str) -> bool:
        """Say whether a type costs nothing by itself."""
        return any(fnmatchcase(type, pattern) for pattern in self.free)

    def is_old(self, today: date) -> bool:
        """Say whether the prices should be looked up again."""
        return (today - self.read).days > OLD_DAYS


AnyPart = TypeVar("AnyPart", bound=Part)


@cache
def table() -> Table:
    """Return the table."""
    return read(TABLE)


def read(path: Path) -> Table:
    """Read a table.

    Raises:
        CostError: it cannot be read.
    """
    return _validated(Table, path, {})


def usage(path: Path, assumed: Usage) -> Usage:
    """Read how much is used; keys that a file leaves out are as assumed.

    Raises:
        CostError: it cannot be read.
    """
    return _validated(Usage, path, assumed.model_dump())


def _validated(model: type[AnyPart], path: Path, assumed: dict[str, float]) -> AnyPart:
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
        return model.model_validate({**assumed, **given})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CostError(f"{path}: {where}: {first['input']!r} given; {first['msg']}") from error
    except (OSError, yaml.YAMLError, TypeError) as error:
        raise CostError(f"{path} cannot be read: {error}") from error
