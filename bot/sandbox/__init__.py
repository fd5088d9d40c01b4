"""Stand-ins for the outside world: a GitHub-compatible server, clusters and a Slack sink.

Nothing in this folder imports the bot: what is proved against it is proved against an independent reading of
the vendors' rules. Everything listens on loopback only.
"""
