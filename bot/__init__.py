"""Carries versions from stage to stage by pull requests, behind gates, and takes back what fails."""
