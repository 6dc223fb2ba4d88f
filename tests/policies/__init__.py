"""The policy pack on what breaks and what keeps its rules."""
