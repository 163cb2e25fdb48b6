"""A receiver that is away, slow or wrong misses nothing, and nobody but it can tell that a message is head office's."""

import hmac
import http.server
import json
import threading
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from tests.unit.till.shop_till import Shop
from tillmesh.adapters.sqlite.hub.log import FILE, SqliteEventLog
from tillmesh.adapters.sqlite.store import Origin
from tillmesh.fleet.ports import Away, Entry
from tillmesh.hub.notifying import Notifier
from tillmesh.hub.settings import Webhook, read_settings
from tillmesh.kernel.envelope import Head, seal
from tillmesh.kernel.errors import Invalid

KEY = bytes(32)
SECRET = b"a secret of the books"
PATIENCE_S = 60.0
OTHER = Origin(store="market0shop0", terminal="z9x8w7v6", actor="z9x8w7v6.11112222")


class Books:
    """A receiver: takes messages, or answers what it is told to."""

    def __init__(self) -> None:
        self.answers: list[int] = []  # the next ones; then 204
        self.taken: list[tuple[Mapping[str, str], bytes]] = []
        self.tries = 0
        books = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                books.tries += 1
                status = books.answers.pop(0) if books.answers else 204
                if status == 204:
                    books.taken.append((dict(self.headers), body))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self) -> list[str]:
        return [event["event_id"] for _, body in self.taken for event in json.loads(body)["events"]]

    def hook(self, folder: Path, **more: object) -> Webhook:
        secret = folder / "secret"
        secret.write_bytes(SECRET + b"\n")
        url = f"http://127.0.0.1:{self.server.server_address[1]}/books"
        return Webhook(name="books", url=url, secret_file=str(secret), **more)  # type: ignore[arg-type]


@pytest.fixture
def books() -> Iterator[Books]:
    made = Books()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def event_log(tmp_path: Path) -> Iterator[SqliteEventLog]:
    log = SqliteEventLog(tmp_path / FILE, KEY)
    yield log
    log.close()


def sold(log: SqliteEventLog, shop: Shop, count: int = 1) -> list[str]:
    """Sell and upload, each sale in a batch of its own."""
    found = []
    for _ in range(count):
        sale = shop.sell(cart_id=f"cart-{shop.till.head.seq}")
        log.append(Entry("fernhill", 1, shop.till.head.actor, 0, (shop.log()[-1],)))
        found.append(sale)
    return found


def notifier(hook: Webhook, place: Path, log: SqliteEventLog) -> Notifier:
    now = {}
    for position, _ in log.replay({}):
        now = dict(position)
    return Notifier(hook, place, lambda: SqliteEventLog(place / FILE, KEY, read_only=True), now)


def until(books: Books, wanted: list[str]) -> None:
    end = time.monotonic() + PATIENCE_S
    while books.events() != wanted:
        assert time.monotonic() < end, (books.events(), wanted)
        time.sleep(0.02)


def test_a_new_receiver_hears_of_every_sale_from_now_on_in_order_and_signed(
    tmp_path: Path, books: Books, event_log: SqliteEventLog
) -> None:
    shop = Shop().furnish().open()
    sold(event_log, shop)  # before it was there
    running = notifier(books.hook(tmp_path), tmp_path, event_log)
    running.start()
    wanted = sold(event_log, shop, 3)
    until(books, wanted)
    running.stop()
    headers, body = books.taken[0]
    at, _, mark = headers["Tillmesh-Signature"].partition(",v1=")
    assert mark == hmac.new(SECRET, at.removeprefix("t=").encode() + b"." + body, sha256).hexdigest()


@pytest.mark.parametrize("refusal", [500, 302, 404])
def test_what_is_not_taken_comes_again_before_anything_else(
    tmp_path: Path, books: Books, event_log: SqliteEventLog, refusal: int
) -> None:
    books.answers = [refusal]
    shop = Shop().furnish().open()
    running = notifier(books.hook(tmp_path, from_start=True), tmp_path, event_log)
    wanted = sold(event_log, shop, 2)
    running.start()
    until(books, wanted)
    running.stop()
    assert books.tries == 3


def test_a_receiver_that_was_away_over_a_restart_is_told_what_it_missed(
    tmp_path: Path, books: Books, event_log: SqliteEventLog
) -> None:
    shop = Shop().furnish().open()
    books.answers = [503] * 10_000
    hook = books.hook(tmp_path, from_start=True)
    running = notifier(hook, tmp_path, event_log)
    wanted = sold(event_log, shop, 2)
    running.start()
    end = time.monotonic() + PATIENCE_S
    while not books.tries:
        assert time.monotonic() < end
        time.sleep(0.02)
    running.stop()
    assert books.events() == []
    books.answers = []
    wanted += sold(event_log, shop)
    running = notifier(hook, tmp_path, event_log)
    running.start()
    until(books, wanted)
    running.stop()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "http://books.example/"}, "use https"),
        ({"url": "ftp://127.0.0.1/"}, "use https"),
        ({"url": "https://books.example:99999999/"}, "port"),
        ({"secret_file": "/nowhere/secret"}, "can't be read"),
    ],
)
def test_a_receiver_that_could_be_overheard_or_has_no_secret_is_refused(
    tmp_path: Path, books: Books, event_log: SqliteEventLog, change: dict[str, str], said: str
) -> None:
    hook = books.hook(tmp_path)
    wrong = Webhook(
        name="books", url=change.get("url", hook.url), secret_file=change.get("secret_file", hook.secret_file)
    )
    with pytest.raises(Invalid) as refused:
        notifier(wrong, tmp_path, event_log)
    assert said in f"{refused.value.detail} {refused.value.hint}".lower()


def test_an_event_that_nobody_may_be_told_is_refused_in_hub_toml(tmp_path: Path) -> None:
    place = tmp_path / "hub.toml"
    place.write_text('[[webhook]]\nname = "x"\nurl = "https://x/"\nsecret_file = "s"\nevents = ["customers_changed"]\n')
    with pytest.raises(Invalid, match="customers_changed"):
        read_settings(place)


def test_a_sale_that_nobody_can_read_keeps_no_other_store_s_sales_from_a_receiver(
    tmp_path: Path, books: Books, event_log: SqliteEventLog
) -> None:
    hostile = seal("market", Head("hhhhhhhh.11112222"), hlc=1, kind="sale_closed", version=1, body=b"\xc1 nonsense")
    event_log.append(Entry("market", 1, hostile.actor, 0, (hostile,)))
    running = notifier(books.hook(tmp_path, from_start=True), tmp_path, event_log)
    wanted = sold(event_log, Shop().furnish().open())
    running.start()
    until(books, wanted)
    running.stop()


def test_a_full_disk_and_a_log_that_is_away_at_the_start_stop_no_receiver_for_good(
    tmp_path: Path, books: Books, event_log: SqliteEventLog
) -> None:
    (tmp_path / "webhooks").write_text("a file where the folder should be: nothing can be kept")
    away = [Away("the event log is away", part="log", retry_after_ms=1)]

    def opened() -> SqliteEventLog:
        if away:
            raise away.pop()
        return SqliteEventLog(tmp_path / FILE, KEY, read_only=True)

    running = Notifier(books.hook(tmp_path), tmp_path, opened, {})
    wanted = sold(event_log, Shop().furnish().open(), 2)
    running.start()
    until(books, wanted)
    (tmp_path / "webhooks").unlink()
    until(books, wanted := [*wanted, *sold(event_log, Shop(OTHER).furnish().open())])
    running.stop()
    assert books.events() == wanted
    again = Notifier(books.hook(tmp_path), tmp_path, opened, {})  # its place is kept since the disk takes it again
    assert again._reached == {"log": 3}
