"""Devices that sign receipts by law. There is a simulator; it certifies nothing."""

from __future__ import annotations

from tillmesh.adapters.signature.simulated import SimulatedDevice

__all__ = ["SimulatedDevice"]
