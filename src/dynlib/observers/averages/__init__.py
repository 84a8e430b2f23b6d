"""Observers of averages along a run: features, histograms, shares of time, the 0-1 test."""
