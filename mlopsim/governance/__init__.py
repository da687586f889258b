"""Governance of a deployment: limits, reviewers, release gates, records, explained decisions."""
