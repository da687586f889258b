"""The closed loop: truth by group, versions behind a data gate, release audits, alarms."""
