"""What one deployment shows an auditor: versions, limits, checks that stand for requirements."""
