"""A till that writes more than a shop does, among real tills: a manager is told by name, and the others go on."""

from pathlib import Path

from tests.services.mesh.memory_links import connect
from tests.services.mesh.test_mesh import MANAGER, found, run, sell, store_of, until
from tests.services.mesh.test_signatures import reaches, seq_of, stop
from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.listings import audited_since
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.limits import INTAKE_EVENT_BYTES
from tillmesh.sync import Intake, KeyNotary
from tillmesh.sync.intake import SAVING_MS
from tillmesh.terminal.driver import now_ms
from tillmesh.terminal.mesh import Mesh
from tillmesh.till.commands import Note, OpenShift

SMALL = 20_000


def test_the_manager_is_told_who_floods_and_sales_of_the_others_come_in(tmp_path: Path) -> None:
    async def scene() -> None:
        flood, quiet, third = posts = await store_of(tmp_path, 3)
        assert quiet.mesh is not None
        await quiet.mesh.stop()
        narrow = Intake({}, now_ms(), burst_bytes=SMALL, day_bytes=SMALL)
        quiet.mesh = Mesh(quiet.driver, {}, KeyNotary(quiet.opened.origin.store, quiet._key_of), narrow)
        quiet.mesh.start()
        mesh = quiet.mesh
        connect(flood, quiet)
        connect(quiet, third)
        await found(third)
        for number in range(150):
            await flood.driver.do(MANAGER, Note(action="noise", subject=f"{number}", detail="x" * 400))

        async def told() -> bool:
            return bool(await quiet.driver.look(lambda books: audited_since(books, "flood", 0)))

        await until(told)
        assert mesh.flooding() == [terminal_of(flood.actor)]
        await third.driver.do(MANAGER, OpenShift(float_minor=0))
        await sell(third, "c1", 1)
        await until(reaches(quiet, third.actor, third.opened.till.head.seq))
        assert await seq_of(quiet, flood.actor) < flood.opened.till.head.seq
        await stop(posts)

    run(scene)


def test_what_a_till_holds_of_a_flood_counts_when_it_starts_anew(tmp_path: Path) -> None:
    async def scene() -> None:
        flood, quiet, third = posts = await store_of(tmp_path, 3)
        assert quiet.mesh is not None
        assert third.mesh is not None
        connect(flood, quiet)
        for number in range(20):
            await flood.driver.do(MANAGER, Note(action="noise", subject=f"{number}", detail="x" * 400))
        await until(reaches(quiet, flood.actor, flood.opened.till.head.seq))
        taken = await quiet.driver.read(lambda db, _: replica.taken_bytes(db, SAVING_MS))
        assert 20 * (400 + INTAKE_EVENT_BYTES) < taken[flood.actor] < 20 * (600 + INTAKE_EVENT_BYTES)
        stamp = (await quiet.driver.read(lambda db, _: replica.stamps_ms(db)))[flood.actor]
        assert await quiet.driver.read(lambda db, _: replica.taken_bytes(db, -stamp)) == dict.fromkeys(taken, 0)
        await stop(posts)

    run(scene)
