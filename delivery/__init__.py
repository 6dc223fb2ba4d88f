"""From a pull request to production: what a change would do, told to people, and done only as it was told."""
