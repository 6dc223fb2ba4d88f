"""What an account has before its first stack: where state is kept, and who may deploy from which pipeline."""
