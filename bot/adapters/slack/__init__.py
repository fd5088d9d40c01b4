"""Slack: telling people, and hearing them. The only folder that knows slack_sdk and slack_bolt."""
