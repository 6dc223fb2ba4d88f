"""The engine and the clouds on one machine: run the project's own program without an account.

``python -m sandbox`` is the command line; :class:`sandbox.workspace.Sandbox` is the same for tests and scripts.
"""
