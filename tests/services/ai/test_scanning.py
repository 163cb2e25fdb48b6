"""Bar codes from the camera through a running till: the worker reads, the till decides what counts."""

import io
import os
import signal

import pytest
from PIL import Image

from tests.services.ai.till import AiShop, refused
from tests.services.api.shop import Json
from tests.unit.inference.test_barcodes import encoded, printed
from tillmesh.kernel.limits import SCANS_MAX
from tillmesh.terminal.web.scan_calls import Scans

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.xdist_group("ai")]
TEA = "4006381333931"


def frame(text: str = TEA) -> bytes:
    return encoded(printed("EAN13", text), "JPEG")


def empty() -> bytes:
    with io.BytesIO() as held:
        Image.new("L", (320, 240), 180).save(held, "JPEG")
        return held.getvalue()


def look(shop: AiShop, picture: bytes, scan: str = "") -> Json:
    return shop.model(f"/ai/barcode?scan={scan}" if scan else "/ai/barcode", picture, "image/jpeg")


def test_one_picture_is_read_and_nothing_is_rung_up_for_it(ai_shop: AiShop) -> None:
    answer = look(ai_shop, frame())
    assert [(code["format"], code["text"]) for code in answer["codes"]] == [("EAN-13", TEA)]
    assert answer["accepted"] == []
    assert answer["inference_ms"] > 0


def test_the_second_frame_that_agrees_is_a_scan_and_the_third_is_not_another(ai_shop: AiShop) -> None:
    assert [look(ai_shop, frame(), "till-front")["accepted"] for _ in range(3)] == [[], [TEA], []]


def test_what_the_shop_does_not_sell_is_never_accepted(ai_shop: AiShop) -> None:
    answers = [look(ai_shop, frame("5000157024671"), "stranger") for _ in range(6)]
    assert not any(answer["accepted"] for answer in answers)
    assert sum(len(answer["unknown"]) for answer in answers) == 1


def test_a_picture_without_a_code_has_none(ai_shop: AiShop) -> None:
    assert look(ai_shop, empty())["codes"] == []


def test_what_is_no_picture_is_refused_and_the_till_goes_on(ai_shop: AiShop) -> None:
    answer = refused(ai_shop, "/ai/barcode", b"no picture")
    assert answer.status_code == 422, answer.text
    assert look(ai_shop, frame())["codes"]


def test_a_worker_that_dies_costs_a_frame_and_not_the_till(ai_shop: AiShop) -> None:
    look(ai_shop, frame())
    pid, ends = ai_shop.ai.runner.pid, ai_shop.ai.runner.restarts
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    ai_shop.wait_for(lambda: True if ai_shop.ai.runner.restarts > ends else None, 60.0)
    sale = ai_shop.sale("while-the-worker-is-dead")
    assert sale["durable"]
    assert look(ai_shop, frame())["codes"]


def test_a_till_without_models_says_so_in_words(tmp_path_factory: pytest.TempPathFactory, ai_shop: AiShop) -> None:
    held = ai_shop.services.extra.pop("ai")
    try:
        answer = refused(ai_shop, "/ai/barcode", frame())
        assert answer.status_code == 503
        assert "Scan" in answer.json()["hint"]
    finally:
        ai_shop.services.extra["ai"] = held


def test_only_so_many_scans_are_remembered() -> None:
    from tillmesh.edge.scanning import View

    scans = Scans()
    for number in range(SCANS_MAX + 5):
        scans.keep(("maya", str(number)), View(empty=number + 1))
    assert scans.view(("maya", "0")) == View()
    assert scans.view(("maya", str(SCANS_MAX + 4))).empty == SCANS_MAX + 5
