"""Concepts: joint laws P(X, y) with several variants each."""
