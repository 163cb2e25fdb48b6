"""Papers as PDF files: labels with barcodes, and tables."""

from __future__ import annotations

from tillmesh.adapters.devices.pdf.labels import SHEETS, Label, labels
from tillmesh.adapters.devices.pdf.tables import Table, table

__all__ = ["SHEETS", "Label", "Table", "labels", "table"]
