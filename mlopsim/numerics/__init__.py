"""Array kernels and small numerical methods that rooms borrow from one another; no component classes."""
