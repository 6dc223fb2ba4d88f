"""A small orders service: the application that the platform runs until its own takes its place."""
