"""What Envoy is told: one YAML file that stays, and files beside it that are replaced while Envoy runs.

Envoy watches the folder; whatever is renamed into it is taken anew, without a restart and without closing a connection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any, Final

CONFIGURATION: Final = "envoy.yaml"
DOOR: Final = "door"  # what Envoy proves itself to stores with
STORES: Final = "stores"  # whose certificates it lets in
GATEWAY: Final = "gateway"  # what it proves itself to the services with
SERVICES: Final = "services"  # whose certificates it takes for a service's
ADMISSION: Final = "admission"  # which keys and certificates are in force
WATCHED: Final = (DOOR, STORES, GATEWAY, SERVICES, ADMISSION)
HEADERS_S: Final = 10
CALL_S: Final = 18  # a store waits for 20
NEWS_S: Final = 40  # the bell is answered after 25 at the latest
_TYPES: Final = "type.googleapis.com/envoy"
_SECRET: Final = f"{_TYPES}.extensions.transport_sockets.tls.v3.Secret"
_PACKAGE: Final = files("tillmesh.adapters.envoy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What differs between one gateway and the next."""

    folder: str  # where Envoy finds its files
    bind: str
    port: int
    admin_port: int  # on loopback; 0: none
    services: Sequence[tuple[str, int]]
    uploads_burst: int
    uploads_per_s: int
    body_bytes_max: int
    connections_max: int
    stores_max: int  # that are counted at once
    request_s: int  # in which a call has to arrive


def configuration(plan: Plan) -> str:
    """Write the YAML file."""
    at = {name: _watched(plan.folder, name) for name in WATCHED}
    admin = ""
    if plan.admin_port:
        admin = f"admin:\n  address:\n    socket_address: {{address: 127.0.0.1, port_value: {plan.admin_port}}}"
    endpoints = [
        {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}}
        for host, port in plan.services
    ]
    return Template((_PACKAGE / CONFIGURATION).read_text("utf-8")).substitute(
        admin=admin,
        bind=json.dumps(plan.bind),
        port=plan.port,
        endpoints=json.dumps(endpoints),
        burst=plan.uploads_burst,
        per_s=plan.uploads_per_s,
        body_bytes_max=plan.body_bytes_max,
        connections_max=plan.connections_max,
        stores_max=plan.stores_max,
        headers_s=HEADERS_S,
        request_s=plan.request_s,
        call_s=CALL_S,
        news_s=NEWS_S,
        door=at[DOOR],
        stores=at[STORES],
        gateway=at[GATEWAY],
        services_authority=at[SERVICES],
        admission=at[ADMISSION],
    )


def file_of(name: str) -> str:
    """Give the file of one of WATCHED."""
    return f"{name}.json"


def credentials(name: str, certificate_pem: str, key_pem: str) -> bytes:
    """Write what Envoy proves itself with: certificate and key in one file, so that they are replaced together."""
    pair = {"certificate_chain": {"inline_string": certificate_pem}, "private_key": {"inline_string": key_pem}}
    return _resource({"@type": _SECRET, "name": name, "tls_certificate": pair})


def believed(name: str, authority_pem: str, san: str, *, regex: bool = False) -> bytes:
    """Write whose certificates Envoy believes: of this authority, with this one name.

    Their dates are not its business: the services look at them, and can say that a store's certificate has expired.
    """
    matcher = {"safe_regex": {"regex": san}} if regex else {"exact": san}
    context = {
        "trusted_ca": {"inline_string": authority_pem},
        "allow_expired_certificate": True,
        "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": matcher}],
    }
    return _resource({"@type": _SECRET, "name": name, "validation_context": context})


def admission(keys: Iterable[tuple[bytes, bytes]], certificates: Iterable[bytes]) -> bytes:
    """Write which API keys (hash, serial number of its certificate) and which certificates are in force."""
    held = "".join(sorted(hashed.hex() + serial.hex() for hashed, serial in keys))
    known = "".join(sorted(serial.hex() for serial in certificates))
    source = (_PACKAGE / "admission.lua").read_text("utf-8").replace("@KEYS@", held).replace("@CERTIFICATES@", known)
    lua = {"@type": f"{_TYPES}.extensions.filters.http.lua.v3.Lua", "default_source_code": {"inline_string": source}}
    return _resource({"@type": f"{_TYPES}.config.core.v3.TypedExtensionConfig", "name": ADMISSION, "typed_config": lua})


def _resource(resource: dict[str, Any]) -> bytes:
    return json.dumps({"resources": [resource]}).encode()


def _watched(folder: str, name: str) -> str:
    path = {"path": f"{folder}/{file_of(name)}", "watched_directory": {"path": folder}}
    return json.dumps({"resource_api_version": "V3", "path_config_source": path})
