"""One of each observer that comes with dynlib, for the oscillator `driven`."""

from dynlib import observers as lib
from dynlib.observers import ObserverModule
from dynlib.plans import Hits, Tail


def everyone() -> dict[str, ObserverModule]:
    """All of them by name, with traces where they have them."""
    return {
        "lyapunov_max": lib.lyapunov_max(record_interval=10),
        "lyapunov_spectrum": lib.lyapunov_spectrum(trace=Tail(3, 10)),
        "finite_time_lyapunov": lib.finite_time_lyapunov(0.2),
        "covariant_vectors": lib.covariant_vectors(2),
        "sali": lib.sali(),
        "gali": lib.gali(2),
        "fli": lib.fli(),
        "zero_one_test": lib.zero_one_test("x", every=2, samples=200),
        "features": lib.features("max", "mean", "mean_error", E="0.5*v^2"),
        "extrema": lib.extrema("x", max_hits=20),
        "intervals": lib.intervals("x", 0.2, trace=Tail(3)),
        "spikes": lib.spikes("x", threshold=0.2),
        "first_passage": lib.first_passage("x - 0.2"),
        "time_in": lib.time_in("x > 0.2"),
        "histogram": lib.histogram("x", 5, (-1.0, 1.0)),
        "poincare": lib.poincare("v", trace=Hits(20)),
        "stroboscopic": lib.stroboscopic(0.5, max_hits=20),
    }
