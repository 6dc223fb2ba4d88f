"""How many examples generated tests look at."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("default", max_examples=200, deadline=None)
settings.register_profile("proof", max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("default")
