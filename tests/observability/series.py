"""Series of samples, in the notation of promtool's rule tests."""

from __future__ import annotations


def gauge(*parts: tuple[int, float]) -> str:
    """Hold values, each for a number of samples."""
    return " ".join(f"{value:g}" for samples, value in parts for _ in range(samples))


def counter(*parts: tuple[int, float]) -> str:
    """Count up, by an amount per sample for a number of samples each."""
    total, values = 0.0, ["0"]
    for samples, amount in parts:
        for _ in range(samples):
            total += amount
            values.append(f"{total:.10g}")
    return " ".join(values)
