"""Longer proofs, run by `make proof`: what happens to a deployment that is killed or refused at any point."""
