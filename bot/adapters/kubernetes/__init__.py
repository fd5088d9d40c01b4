"""Kubernetes clusters: who may look (access), one request (api), one kind (follower), one stage (stage), all of them (clusters)."""
