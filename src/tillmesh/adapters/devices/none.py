"""No printer: the receipt is on the screen."""

from __future__ import annotations

from tillmesh.till.printing import PrinterStatus, PrintFailed, Printout


class NoPrinter:
    """Takes no job, and says so."""

    def print(self, out: Printout) -> None:
        """Refuse; raises PrintFailed."""
        raise PrintFailed(f"no printer is set up for {out.name}", hint="Set one up in the settings.", state="off")

    def status(self) -> PrinterStatus:
        """Say that there is none."""
        return PrinterStatus("off", "No printer is set up.")
