"""Simulated clouds: Pulumi providers that keep what they make in a store on disk and refuse what the clouds refuse."""
