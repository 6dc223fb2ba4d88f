"""Which components make up a stack, and what flows from one to the next."""
