"""Rows in time order with the truth about them."""
