"""Card terminals: a simulated one for training, and Adyen's over the shop's own network."""

from __future__ import annotations

from tillmesh.adapters.cards.adyen import AdyenTerminal, Reach
from tillmesh.adapters.cards.simulated import SimulatedTerminal

__all__ = ["AdyenTerminal", "Reach", "SimulatedTerminal"]
