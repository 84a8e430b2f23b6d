"""Observers of crossings: sections, intervals, extremes, first passages."""
