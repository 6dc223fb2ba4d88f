"""The simulated AWS."""
