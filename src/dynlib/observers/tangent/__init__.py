"""Observers of tangent vectors: exponents, indicators of chaos, covariant vectors."""
