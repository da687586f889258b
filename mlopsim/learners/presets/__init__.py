"""Learners, one file each: closed forms for all versions at once, and scikit-learn classifiers."""
