"""A till in this process with a worker beside it, running the models that ship with the program."""

from pathlib import Path
from typing import Any

from tests.services.api.shop import Json, Loop, Shop
from tillmesh.adapters.inference.questions import NoAnswer
from tillmesh.terminal.ai import Ai

FRAME_MS = 100


class AiShop(Shop):
    """A shop whose till runs models."""

    ai: Ai

    def __init__(self, loop: Loop, data_dir: Path, *models: str) -> None:
        self.frames = 0
        super().__init__(loop, data_dir)
        self.ai = Ai(data_dir)
        self.ai.stock_up()
        self.services.extra["ai"] = self.ai
        # Frames follow each other by this clock: on a slow machine they are as close together as on a fast one.
        at_ms = self.clock()
        self.services.clock = lambda: at_ms + self.frames * FRAME_MS
        for name in models:
            self.load(name)

    def load(self, name: str) -> None:
        """Load a model, however long that takes on this machine."""

        def loaded() -> bool | None:
            try:
                self.loop.run(self.ai.runner.load(name))
            except NoAnswer:
                return None
            return True

        self.wait_for(loaded, 60.0)

    def model(self, path: str, body: bytes, media: str) -> Json:
        """Ask a model until it has answered in time: a busy machine may miss a deadline, which is no matter here."""

        self.frames += 1

        def answered() -> Json | None:
            answer: Json = self.ok("POST", path, content=body, headers={"Content-Type": media}, role="cashier")
            return None if answer["fallback"] else answer

        return self.wait_for(answered, 60.0)

    def close(self) -> None:
        self.loop.run(self.ai.stop())
        super().close()


def refused(shop: Shop, path: str, body: bytes) -> Any:
    """Send a model what is nothing for it, and wait until that is said and not only that there was no time."""

    def said() -> Any:
        answer = shop.call("POST", path, content=body, headers={"Content-Type": "application/octet-stream"})
        return None if answer.status_code == 200 else answer

    return shop.wait_for(said, 60.0)
