"""Coefficients of explicit Runge–Kutta methods, one file for each family."""
