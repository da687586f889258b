"""Grid, runner, executors, ledger, provenance."""
