"""The record of a deployment: events, two hash trees over their lines, verification, proofs."""
