"""Models over the air, put together: head office's orders, what tills tell each other, fetching, following, reports."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tillmesh.adapters.wan.client import HubClient
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import NOTE_CHARS_MAX
from tillmesh.terminal.ai import Ai
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.head_office import bundle_in
from tillmesh.terminal.mesh import SYSTEM, Mesh
from tillmesh.terminal.model_fetching import Fetching
from tillmesh.terminal.model_following import Following
from tillmesh.terminal.model_office import HeadOffice, Office
from tillmesh.terminal.model_post import ModelPost
from tillmesh.terminal.model_reports import ModelReports, counted
from tillmesh.terminal.uplinking import Uplinking
from tillmesh.till.commands import Note


class ByAir:
    """All that one till has of it. A till without models passes orders, bundles and reports on all the same."""

    def __init__(
        self, driver: Driver, ai: Ai | None, mesh: Mesh | None, office: Office | None, key: Callable[[], bytes | None]
    ) -> None:
        self._driver, self._office = driver, office
        self.uplinking: Uplinking | None = None
        folder, identity = driver.opened.data_dir / "models", driver.identity
        self.post = ModelPost(folder, identity.store, identity.terminal, key, mesh)
        self.following = Following(self.post, Fetching(self.post, office), ai, self._note)
        self.reports = ModelReports(folder, self.post, office, counted(ai))
        if ai is not None:
            ai.orders = self.following
            ai.giving_up.noted = self._note

    async def start(self) -> None:
        """Begin; what ships with the program is on the shelf by now."""
        await self.post.start()
        if self.uplinking is not None:
            self.uplinking.hear_orders(self.post.learn)
        self.following.start()
        self.reports.start()

    async def stop(self) -> None:
        """Stop; what was begun goes on at the next start."""
        await self.reports.stop()
        await self.following.stop()
        await self.post.stop()
        if isinstance(self._office, HeadOffice):
            self._office.close()

    async def _note(self, action: str, subject: str, detail: str) -> None:
        """Leave a line in the audit; a disk that refuses is told of elsewhere."""
        note = Note(action=action, subject=subject, detail=detail[:NOTE_CHARS_MAX])
        with suppress(TillmeshError):
            await self._driver.do(SYSTEM, note)


def by_air(
    driver: Driver,
    ai: Ai | None,
    mesh: Mesh | None,
    uplinking: Uplinking | None,
    hub_url: str,
    key: Callable[[], bytes | None],
) -> ByAir | None:
    """Put it together for a till that has others or head office; None for one that is quite alone."""
    office: HeadOffice | None = None
    bundle = bundle_in(driver.opened.data_dir) if uplinking is not None else None
    if uplinking is not None and bundle is not None:
        office = HeadOffice(uplinking, HubClient(hub_url, bundle))
    if office is None and mesh is None:
        return None
    made = ByAir(driver, ai, mesh, office, key)
    made.uplinking = uplinking
    return made
