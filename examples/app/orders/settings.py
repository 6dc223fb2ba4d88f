"""What the service reads from its environment: one prefix per dependency, secrets by file."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=300)]
Name = Annotated[str, Field(min_length=1)]


class WrongSettingsError(Exception):
    """Names every environment variable that is wrong, in one message that holds no secret."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Server(_Part):
    host: Name
    password: Annotated[SecretStr, Field(max_length=1024)] | None = None
    password_file: Path | None = None

    @model_validator(mode="after")
    def _one_source_of_the_password(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("PASSWORD and PASSWORD_FILE are both given; one of them is allowed")
        self.secret()
        return self

    def secret(self) -> str | None:
        """Return the password, read anew from its file each time, or None where there is none.

        Raises:
            ValueError: the file cannot be read or is empty.
        """
        if self.password_file is None:
            return self.password.get_secret_value() if self.password else None
        try:
            secret = self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ValueError(f"PASSWORD_FILE {self.password_file} cannot be read: {reason}") from None
        if not secret:
            raise ValueError(f"PASSWORD_FILE {self.password_file} is empty")
        return secret


class DatabaseSettings(_Server):
    """PostgreSQL, `DATABASE_*`. The pool's sizes count connections of one process."""

    port: Port = 5432
    name: Name
    user: Name
    sslmode: Literal["disable", "require", "verify-ca", "verify-full"] = "verify-full"
    ca_file: Path | None = None
    pool_min: int = Field(default=1, ge=0, le=100)
    pool_max: int = Field(default=10, ge=1, le=100)
    timeout_seconds: Seconds = 3

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.sslmode.startswith("verify") and self.ca_file is None:
            raise ValueError(f"SSLMODE {self.sslmode} needs CA_FILE, the path of a bundle of certificate authorities")
        if self.pool_min > self.pool_max:
            raise ValueError(f"POOL_MIN {self.pool_min} is larger than POOL_MAX {self.pool_max}")
        return self


class RedisSettings(_Server):
    """The cache, `REDIS_*`. Without `ca_file` the system's certificate authorities are trusted."""

    port: Port = 6379
    username: Name | None = None
    tls: bool = True
    ca_file: Path | None = None
    ttl_seconds: int = Field(default=60, ge=1, le=86400)
    timeout_seconds: Seconds = 1


class RabbitmqSettings(_Server):
    """The broker, `RABBITMQ_*`. Its port defaults to the one that AMQP has with or without TLS."""

    port: Port | None = None
    username: Name
    vhost: Name = "/"
    tls: bool = True
    ca_file: Path | None = None
    timeout_seconds: Seconds = 5

    @model_validator(mode="after")
    def _with_password(self) -> Self:
        if self.password is None and self.password_file is None:
            raise ValueError("PASSWORD_FILE or PASSWORD is needed")
        return self

    @property
    def effective_port(self) -> int:
        """The port that is given, else 5671 with TLS and 5672 without."""
        return self.port or (5671 if self.tls else 5672)


class AppSettings(_Part):
    """The process itself, `APP_*`."""

    host: Name = "0.0.0.0"  # noqa: S104 — a container is reached from outside by all of its addresses
    port: Port = 8000
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    readiness_timeout_seconds: Seconds = 2
    drain_seconds: float = Field(default=5, ge=0, le=300)
    shutdown_seconds: int = Field(default=20, ge=1, le=300)
    enable_faults: bool = False


class Settings(BaseSettings):
    """All settings of one process. A dependency none of whose variables is set is not used."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,
    )

    app: AppSettings = AppSettings()
    database: DatabaseSettings | None = None
    redis: RedisSettings | None = None
    rabbitmq: RabbitmqSettings | None = None


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        WrongSettingsError: names each wrong variable, what was given (never a secret) and what is allowed.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise WrongSettingsError("; ".join(_problem(e) for e in error.errors(include_url=False))) from None


def _problem(error: Any) -> str:
    variable = "_".join(str(part) for part in error["loc"]).upper()
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "missing":
        return f"{variable} is missing"
    if error["type"] == "value_error":
        return f"{variable}_*: {message}"
    given = "" if "PASSWORD" in variable or not isinstance(error["input"], str) else f" {error['input']!r} is wrong:"
    return f"{variable}{given} {message}"
