"""The forge on GitHub: REST and GraphQL through PyGithub's requester. Start at `forge.py`."""
