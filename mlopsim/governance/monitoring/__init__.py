"""What monitors rest on: rates, references, laws in control, limits, and what follows from alarms."""
