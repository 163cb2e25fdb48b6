"""A card terminal on loopback that plays recorded nexo messages in real envelopes over real TLS."""

import datetime as dt
import json
import ssl
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.ports import free_port
from tillmesh.adapters.cards import Reach
from tillmesh.adapters.cards.nexo import Json, Key, unwrap, wrap

POI = "V400m-324688179"
KEY = Key("till-key", 1, "a passphrase of the shop")
RECORDED: dict[str, Json] = json.loads(Path(__file__).with_name("recorded.json").read_text("utf-8"))
WAIT_S = 30.0
Play = Callable[[str, Json], str | None]


class Recorded:
    """Answers as ``play`` says: the name of a recording, or None to close the door without a word.

    What it approved it remembers by SaleID and ServiceID, and gives again when it is asked for.
    """

    def __init__(self, play: Play, *, name: str = f"{POI}.test.terminal.adyen.com", key: Key = KEY) -> None:
        self.play = play
        self.key = key
        self.heard: list[Json] = []
        self.ended: dict[str, str] = {}
        self.port = free_port()
        self.authority, pem = certificate(name)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(pem)
            file.flush()
            tls.load_cert_chain(file.name)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def reach(self, **more: Any) -> Reach:
        given = {
            "host": "127.0.0.1", "port": self.port, "poi_id": POI, "sale_id": "till-1", "key": KEY,
            "authority": self.authority, **more,
        }  # fmt: skip
        return Reach(**given)

    def categories(self) -> list[str]:
        return [message["MessageHeader"]["MessageCategory"] for message in self.heard]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(WAIT_S)

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        message = unwrap("SaleToPOIRequest", json.loads(body), self.key)
        self.heard.append(message)
        header = message["MessageHeader"]
        category = header["MessageCategory"]
        played = self.play(category, message)
        if category in {"Payment", "Reversal"} and played in RECORDED:
            self.ended[header["ServiceID"]] = played
        if played is None or played.startswith("lost:"):
            if played is not None:
                self.ended[header["ServiceID"]] = played.removeprefix("lost:")
            request.close_connection = True
            return
        answer = {"MessageHeader": {**header, "MessageType": "Response"}, **self._body(category, message, played)}
        text = json.dumps(wrap("SaleToPOIResponse", answer, self.key, b"sixteen bytes!!!")).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def _body(self, category: str, message: Json, played: str) -> Json:
        if category != "TransactionStatus" or played != "how it ended":
            return RECORDED.get(played, {})
        asked = message["TransactionStatusRequest"]["MessageReference"]
        ended = self.ended.get(asked["ServiceID"])
        if ended is None:
            return RECORDED["not_found"]
        repeated = {"MessageHeader": {}, "RepeatedResponseMessageBody": RECORDED[ended]}
        response = {"Response": {"Result": "Success"}, "MessageReference": asked, "RepeatedMessageResponse": repeated}
        return {"TransactionStatusResponse": response}


def certificate(name: str) -> tuple[str, str]:
    """Make a root and a terminal's certificate of it: the root as PEM, and the terminal's with its key."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Terminal root of a test")])
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)

    def made(subject: x509.Name, public: ec.EllipticCurvePublicKey, *, authority: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder(root_name, subject, public, x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=36_500))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(True, False, False, False, False, authority, authority, False, False), critical=True
            )
        )
        return builder.sign(root_key, SHA256())

    root = made(root_name, root_key.public_key(), authority=True)
    leaf = made(own, key.public_key(), authority=False)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return root.public_bytes(Encoding.PEM).decode(), (private + leaf.public_bytes(Encoding.PEM)).decode()
