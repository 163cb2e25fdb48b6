"""``tillmesh models publish|rollback|registry``: head office's registry, in its folder or through its door."""

from __future__ import annotations

import argparse
import getpass
import http.client
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from tillmesh.adapters.https import HTTPSConnection
from tillmesh.adapters.inference.shelf import read_folder
from tillmesh.edge.bundle import Sealed, Trusted, open_bundle, pack, signed_by, unpack
from tillmesh.fleet.models import ALL
from tillmesh.hub.bootstrap import Opened, open_hub
from tillmesh.hub.models import SHIPPED
from tillmesh.hub.running import now_ms
from tillmesh.hub.settings import read_settings
from tillmesh.hub.trying import try_out
from tillmesh.hub.web.carrying import MEDIA
from tillmesh.hub.web.model_calls import decided, shown
from tillmesh.kernel.errors import Invalid, NotFound, TillmeshError
from tillmesh.kernel.limits import BUNDLE_BYTES_MAX

TIMEOUT_S: Final = 120.0


def main(arguments: Sequence[str], say: Callable[[str], object]) -> int:
    """Run one command."""
    options = _parser().parse_args(list(arguments))
    run: Callable[[argparse.Namespace], Any] = options.run
    said = run(options)
    say(json.dumps(said, indent=2, ensure_ascii=False))
    return int(getattr(options, "wanted", False) and not said["models"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tillmesh models")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    publishing = commands.add_parser("publish", help="check a signed bundle, register it, let tills take it")
    publishing.add_argument("name", help="the model")
    publishing.add_argument(
        "--out",
        type=Path,
        default=SHIPPED,
        help="OUT/NAME as train writes it, or one file, with trusted.json",
    )
    _where(publishing)
    publishing.add_argument("--canary", nargs="+", default=[], metavar="STORE", help="only these stores try it")
    publishing.add_argument("--share", type=int, help="percent of the tills there that try it")
    publishing.add_argument("--everywhere", action="store_true", help="all tills of all stores take it")
    publishing.set_defaults(run=_publish)
    back = commands.add_parser("rollback", help="let all tills go back to an older version")
    back.add_argument("name", help="the model")
    back.add_argument("--to", type=int, required=True, metavar="VERSION")
    _where(back)
    back.set_defaults(run=_roll_back)
    listing = commands.add_parser("registry", help="what head office has, who runs it and how it does")
    listing.add_argument("--wanted", action="store_true", help="only models that drift; exit status 1 if none does")
    _where(listing)
    listing.set_defaults(run=_registry)
    return parser


def _where(parser: argparse.ArgumentParser) -> None:
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--hub-data", type=Path, metavar="DIR", help="head office's folder, while it is not running")
    place.add_argument("--hub", metavar="URL", help="head office's door for people; the password is read from stdin")
    parser.add_argument("--config", type=Path, metavar="hub.toml", help="with --hub-data: its settings")
    parser.add_argument("--user", default="", help="with --hub: an administrator")


class Refusal(TillmeshError):
    """Head office said no."""

    kind = "hub-refused"
    title = "Head office refuses"


class Door:
    """Head office's door for people, as somebody who signed in."""

    def __init__(self, url: str, user: str, password: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Invalid(f"{url[:80]!r} is no address", hint="Write it like http://127.0.0.1:8080.")
        kind = HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._line = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._token = ""
        self._token = self.call("POST", "/session", {"user": user, "password": password})["token"]

    def call(self, method: str, path: str, body: Mapping[str, Any] | bytes | None = None) -> Any:
        """Ask, and give the answer; raises :class:`Refusal` for any other."""
        is_bundle = isinstance(body, bytes)
        data = body if body is None or is_bundle else json.dumps(body).encode()
        headers = {"Content-Type": MEDIA if is_bundle else "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            self._line.request(method, "/api/v1" + path, data, headers)  # type: ignore[arg-type] # bytes or None
            answer = self._line.getresponse()
            said = json.loads(answer.read(BUNDLE_BYTES_MAX) or b"null")
        except (OSError, http.client.HTTPException, ValueError) as cause:
            raise Refusal(f"head office did not answer: {cause}", hint="Is it running there?") from cause
        if answer.status >= 400:
            raise Refusal(str(said.get("detail", answer.status)), hint=str(said.get("hint", "")))
        return said


def _publish(options: argparse.Namespace) -> Any:
    if options.everywhere and (options.canary or options.share):
        raise Invalid("--everywhere and a share or some stores exclude each other", hint="Say one of them.")
    given, trusted = read_bundle(options.out, options.name)
    manifest = open_bundle(given, trusted).manifest
    if manifest.name != options.name:
        raise Invalid(f"{options.out} holds {manifest.name}, not {options.name}")
    ms = try_out(given, manifest, trusted)
    signer = next(key for key in trusted if signed_by(key, given.signature, given.manifest))
    begins = options.everywhere or bool(options.canary) or options.share is not None
    share = ALL if options.share is None else options.share
    body = {"version": manifest.version, "stores": options.canary, "share": share}
    if options.hub is not None:
        door = _door(options)
        said = door.call("POST", "/models?" + urlencode({"signer": signer}), pack(given))
        if begins:
            said["rollout"] = door.call("POST", f"/models/{quote(manifest.name)}/activate", body)
    else:
        said = _offline(options, lambda opened: publish_offline(opened, given, signer, body if begins else None))
    return {**said, "known_answer": "given", "load_ms": round(ms)}


def read_bundle(where: Path, name: str) -> tuple[Sealed, Trusted]:
    """Read a bundle, a folder or one file, and the keys that lie beside it."""
    if where.is_file():
        given, keys = unpack(where.read_bytes()), where.parent / "trusted.json"
    else:
        folder = where / name if (where / name).is_dir() else where
        given, keys = read_folder(folder), folder.parent / "trusted.json"
    try:
        return given, msgspec.json.decode(keys.read_bytes(), type=dict[str, tuple[str, ...]])
    except (OSError, msgspec.DecodeError) as cause:
        raise NotFound(f"{keys} can't be read: {cause}", hint="It lies where train has put the bundle.") from cause


def publish_offline(opened: Opened, given: Sealed, signer: str, rollout: Mapping[str, Any] | None) -> dict[str, Any]:
    """Register a bundle at a head office that is not running, and let tills take it if that is said."""
    now, models = now_ms(), opened.models
    version = models.publish(pack(given), signer, "system", now)
    opened.office.audit(now, "system", "model_published", version.name, f"version {version.version}")
    said = {"name": version.name, "version": version.version, "sha256": version.sha256, "bytes": version.size}
    if rollout is None:
        return said
    made = models.activate(version.name, version.version, rollout["stores"], rollout["share"], now)
    where = ", ".join(made.stores)[:200] or "all stores"
    detail = f"version {version.version}: {rollout['share']} % of the tills of {where}"
    opened.office.audit(now, "system", "model_activated", version.name, detail)
    return {**said, "rollout": decided(version.name, made)}


def _roll_back(options: argparse.Namespace) -> Any:
    if options.hub is not None:
        return _door(options).call("POST", f"/models/{quote(options.name)}/rollback", {"version": options.to})

    def go(opened: Opened) -> dict[str, Any]:
        now = now_ms()
        made = opened.models.roll_back(options.name, options.to, now)
        opened.office.audit(now, "system", "model_rolled_back", options.name, f"version {options.to}")
        return decided(options.name, made)

    return _offline(options, go)


def _registry(options: argparse.Namespace) -> Any:
    if options.hub is not None:
        said = _door(options).call("GET", "/models")
    else:

        def look(opened: Opened) -> dict[str, Any]:
            return {"models": [shown(opened.models, name, now_ms()) for name in opened.models.known()]}

        said = _offline(options, look)
    if options.wanted:
        said["models"] = [one for one in said["models"] if one["retrain_wanted"]]
    return said


def _offline(options: argparse.Namespace, work: Callable[[Opened], dict[str, Any]]) -> dict[str, Any]:
    if not options.hub_data.is_dir():
        raise NotFound(f"no head office in {options.hub_data}", hint="Say where its data is.")
    opened = open_hub(options.hub_data, read_settings(options.config))
    try:
        return work(opened)
    finally:
        opened.close()


def _door(options: argparse.Namespace) -> Door:
    if not options.user:
        raise Invalid("--hub needs --user", hint="Name an administrator of head office.")
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    return Door(options.hub, options.user, password)
