"""Changes with a known truth that are put into streams of given rows."""
