"""What people and scheduled jobs do with a running platform: ``python -m operations --help``."""
