"""Shifts: changes of the inputs, the base rate or one group beside the concept."""
