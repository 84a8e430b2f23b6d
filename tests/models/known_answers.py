"""The known answers of all built-in models, by name."""

from models.answers import Answer
from models.known_chaos import CHAOS
from models.known_maps import MAPS
from models.known_mechanics import MECHANICS
from models.known_neurons import NEURONS
from models.known_reactions import REACTIONS

KNOWN_ANSWERS: dict[str, list[Answer]] = MAPS | MECHANICS | CHAOS | REACTIONS | NEURONS
