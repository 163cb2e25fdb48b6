"""A signature device that is none: it counts and signs as a real one does, and can be told to be out of order.

Its key and counter are in a file beside the till's database, so both go on after a restart. It certifies nothing.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.till.fiscal import DeviceSilent, Signature

FILE: Final = "simulated-signature-device.json"
ALGORITHM: Final = "ed25519"


class SimulatedDevice:
    """Fulfils ``till.fiscal.SignatureDevice``."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._lock = threading.Lock()
        self.out_of_order = False
        try:
            held = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            held = {"secret": os.urandom(32).hex(), "counter": 0}
        self._secret: str = held["secret"]
        self._counter: int = held["counter"]
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self._secret))
        public = self._key.public_key().public_bytes_raw()
        self.public_key = base64.b64encode(public).decode()
        self.serial = f"SIM-{sha256(public).hexdigest()[:16]}"

    def sign(self, data: str, now_ms: int) -> Signature:
        """Sign counter, time and text; the counter is kept before the signature leaves."""
        with self._lock:
            if self.out_of_order:
                raise DeviceSilent("the simulated signature device is out of order")
            self._counter += 1
            self._keep()
            signed = self._key.sign(message(self._counter, now_ms, data))
            return Signature(
                device=self.serial,
                counter=self._counter,
                signature=base64.b64encode(signed).decode(),
                algorithm=ALGORITHM,
                public_key=self.public_key,
                signed_at_ms=now_ms,
            )

    def _keep(self) -> None:
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps({"secret": self._secret, "counter": self._counter}), encoding="utf-8")
        beside.replace(self._file)


def message(counter: int, signed_at_ms: int, data: str) -> bytes:
    """Give the bytes that a signature is over."""
    return f"{counter};{signed_at_ms};{data}".encode()
