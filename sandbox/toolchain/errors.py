"""What can go wrong while the tools are set up."""


class ToolchainError(Exception):
    """A tool can be neither found nor made; the message says what to do about it."""
