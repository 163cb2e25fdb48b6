"""Alerts about what belongs to one till, caused on a real one: its printer, its goods, its models."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.alert_replay import Asked, Replay
from tests.faults.corner_shop import CASHIER, PRICES, found_shop, sale
from tests.faults.running import Answer, Program, until
from tests.tracked_files import ROOT
from tillmesh.terminal.offline import OfflineTill

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(300)]

SALES = 110  # of fewer than a hundred no share is known
OVERSOLD = ("GIN", "TEA")
MODEL = "barcode"
PICTURE = ROOT / "tests" / "data" / "barcodes" / "ean13-1" / "4.webp"
SCALE_SILENT = 'tillmesh_device_silent{device="scale"} 1.0'
SLOW_S = 0.4  # the limit is 0.3 s
AT_ONCE, ROUNDS = 8, 3


def test_a_printer_goods_and_models_that_fail_raise_alerts_that_go_when_they_are_well(tmp_path: Path) -> None:
    shop, replay = tmp_path / "till", Replay()
    paper, away = shop / "paper", tmp_path / "away"
    found_shop(shop, printer="paper/out", pins=True)
    paper.mkdir()
    sell_a_day(shop)
    with Program(shop, arguments=("--model-deadline-ms", "10000")) as till:
        asked, token = Asked("till", till.port), till.sign_in("ruth")
        until(lambda: {MODEL, "recognition"} <= {one["name"] for one in models(till, token)}, "models are there")
        replay.take(asked)

        paper.rename(away)
        use_scale(till, token, kind="mettler8217")
        oversell(till, token)
        keep_waiting(till, token)
        leave_without_answer(till, token)
        contradict(till, token)
        until(lambda: "tillmesh_printer_ready 0.0" in till.metrics(), "the printer is missed")
        until(lambda: "tillmesh_conflicts_day 2.0" in till.metrics(), "the oversells are seen")
        until(lambda: SCALE_SILENT in till.metrics(), "the scale is missed")
        replay.take(asked)

        away.rename(paper)
        use_scale(till, token, kind="none")
        for sku in OVERSOLD:
            assert till.call("POST", "/stock/receipts", {"sku": sku, "quantity": 1_000}, token).status == 201
        begin_anew(till, given_up=9)  # a till that starts anew has kept nobody waiting yet
        until(lambda: "tillmesh_printer_ready 1.0" in till.metrics(), "the printer is back")
        until(lambda: "tillmesh_conflicts_day 0.0" in till.metrics(), "nothing is oversold any more")
        rot(till)
        replay.take(asked)
        begin_anew(till, given_up=0)
        replay.take(asked)
    wrong = {"PrinterNotReady", "DeviceSilent", "Conflicts", "InferenceSlow", "ModelFallbacks", "ModelWrong"}
    replay.judge(tmp_path / "alerts", [(), wrong, {"ModelGivenUp", "ModelUnusable"}, ()])


def use_scale(till: Program, token: str, *, kind: str) -> None:
    """Set up a scale that is not there, or none."""
    settings = {"scale_kind": kind, "scale_target": "/dev/ttyUSB99"}
    assert till.call("PATCH", "/settings", {"terminal": settings}, token).status == 200


def begin_anew(till: Program, *, given_up: int) -> None:
    """Start the till again, with a model of which a version failed at work, or with one that replaced it."""
    assert till.stop() == 0, till.said()[-3000:]
    standing = till.shop / "models" / MODEL / "standing.json"
    standing.write_text(json.dumps(json.loads(standing.read_text()) | {"failed": given_up}))
    till.start()
    series = f'tillmesh_model_given_up{{model="{MODEL}"}} {given_up}.0'
    until(lambda: series in till.metrics(), "the models are there")
    assert 'tillmesh_model_unusable{model="recognition"} 0.0' in till.metrics()


def rot(till: Program) -> None:
    """Let a byte of a model rot before it is loaded; the next start puts the model back."""
    token = till.sign_in("ruth")
    [slot] = [one["slot"] for one in models(till, token) if one["name"] == "recognition"]
    network = till.shop / "models" / "recognition" / str(slot) / "network.tflite"
    good = network.read_bytes()
    network.write_bytes(good[:1000] + bytes([good[1000] ^ 1]) + good[1001:])

    def is_found() -> bool:
        till.send("POST", "/ai/recognise", PICTURE.read_bytes(), "image/webp", token)
        return 'tillmesh_model_unusable{model="recognition"} 1.0' in till.metrics()

    until(is_found, "it is found when somebody asks")


def sell_a_day(shop: Path) -> None:
    till = OfflineTill(shop, hurried=True)
    for number in range(SALES):
        till.do(CASHIER, sale(f"cart-{number}", number), time.time_ns() // 1_000_000)
    till.close()


def oversell(till: Program, token: str) -> None:
    """Sell more of two products than the shop ever had; each receipt meets a printer that is gone."""
    for sku in OVERSOLD:
        order = {"cart_id": f"all-{sku}", "lines": [{"sku": sku, "quantity": 1_001}],
                 "payments": [{"method": "cash", "amount_minor": 1_001 * PRICES[sku]}]}  # fmt: skip
        answer = till.call("POST", "/sales", order, token)
        assert answer.status == 201, answer


def models(till: Program, token: str) -> list[dict[str, object]]:
    return list(till.get("/ai/status", token).body["models"])


def questions(till: Program, token: str) -> int:
    [one] = [one for one in models(till, token) if one["name"] == MODEL]
    return int(str(one["asked"]))


def worker(till: Program, token: str) -> int:
    """Give the process of the models, once it runs."""
    return int(until(lambda: till.get("/ai/status", token).body["worker"]["pid"], "the worker runs"))


def ask(till: Program, token: str) -> Answer:
    return till.send("POST", "/ai/barcode", PICTURE.read_bytes(), "image/webp", token)


def keep_waiting(till: Program, token: str) -> None:
    """Let the models stand still while somebody waits for one."""
    assert ask(till, token).status == 200  # so that they run
    pid, before, begin = worker(till, token), questions(till, token), time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, till, token)
        until(lambda: questions(till, token) > before, "somebody asks")
        until(lambda: time.monotonic() > begin + SLOW_S, "that is too long")
        os.kill(pid, signal.SIGCONT)
        assert waiting.result().body["inference_ms"] is not None


def leave_without_answer(till: Program, token: str) -> None:
    """Kill the models while people wait for them, a few times."""
    for _ in range(ROUNDS):
        assert ask(till, token).status == 200  # so that they run
        pid, before = worker(till, token), questions(till, token)
        os.kill(pid, signal.SIGSTOP)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = [pool.submit(ask, till, token) for _ in range(AT_ONCE)]
            until(partial(have_asked, till, token, before + AT_ONCE), "all have asked")
            os.kill(pid, signal.SIGKILL)
            assert any(one.result().body.get("fallback") for one in waiting)


def have_asked(till: Program, token: str, times: int) -> bool:
    return questions(till, token) >= times


def contradict(till: Program, token: str) -> None:
    """Correct five suggestions of twenty-five."""
    for number in range(25):
        said = {"suggested": "GIN", "chosen": "TEA" if number % 5 == 0 else "GIN"}
        assert till.call("POST", "/ai/recognise/verdict", said, token).status == 204
