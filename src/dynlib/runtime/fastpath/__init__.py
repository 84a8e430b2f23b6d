"""The fast path: many runs at once, everything allocated beforehand."""
