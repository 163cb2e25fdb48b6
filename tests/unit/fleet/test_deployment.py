"""The files for containers agree with each other and with the program: ports, names, settings, commands."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import yaml

from tests.tracked_files import ROOT
from tillmesh.hub.bootstrap import open_hub
from tillmesh.hub.commands import parser
from tillmesh.hub.gateway import Gateway, find_envoy
from tillmesh.hub.running import now_ms
from tillmesh.hub.settings import (
    ClickReports,
    Envoy,
    KafkaLog,
    PostgresTables,
    Settings,
    SqliteLog,
    SqliteTables,
    read_settings,
)

DEPLOY = ROOT / "deploy" / "hub"
# What tillmesh's own containers may find in their environment: libpq reads it, nothing of ours does.
ENVIRONMENT = {"PGPASSFILE"}


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return loaded


@pytest.fixture
def objects() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        found += yaml.safe_load_all(file.read_text("utf-8"))
    return found


def pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in objects:
        if each["kind"] in {"StatefulSet", "Deployment"}:
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def containers(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for _, pod in pods(objects):
        yield from pod.get("initContainers", [])
        yield from pod["containers"]


def settings_of(objects: list[dict[str, Any]], folder: Path) -> Settings:
    (text,) = (each["data"]["hub.toml"] for each in objects if each["kind"] == "ConfigMap")
    file = folder / "kubernetes.toml"
    file.write_text(text)
    return read_settings(file)


def ours(container: dict[str, Any]) -> bool:
    return str(container["image"]).startswith("tillmesh-hub:")


def called(container: dict[str, Any]) -> list[str] | None:
    """The arguments of `tillmesh hub` that a container is started with; None if it starts something else.

    The image's entrypoint is `tillmesh hub`. What compose calls command are arguments; in a cluster they are args.
    """
    if not ours(container) or "entrypoint" in container:
        return None
    if "build" in container:
        return [str(each) for each in container.get("command", [])]
    return None if "command" in container else [str(each) for each in container.get("args", [])]


def stores_port(arguments: list[str], settings: Settings) -> int:
    given = parser().parse_args([*arguments, "--data-dir", "/var/lib/tillmesh"])
    return given.stores_port or settings.doors.stores_port


def test_every_image_is_pinned_by_a_version(compose: dict[str, Any], objects: list[dict[str, Any]]) -> None:
    images = {str(each["image"]) for each in [*compose["services"].values(), *containers(objects)]}
    assert len(images) >= 4
    assert [image for image in images if not re.fullmatch(r"[\w./-]+:v?\d[\w.-]*", image)] == []
    (built,) = re.findall(r"-t (tillmesh-hub:\S+)", (DEPLOY / "Dockerfile").read_text("utf-8"))
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    assert {image for image in images if image.startswith("tillmesh-hub")} == {built} == {f"tillmesh-hub:{version}"}
    jars = (ROOT / "src/tillmesh/hub/stack/jars.txt").read_text("ascii")
    (kafka,) = {image for image in images if "kafka" in image}
    assert f"/kafka_2.13/{kafka.partition(':')[2]}/" in jars, "another Kafka than the one that is tested"


def test_the_gateway_finds_each_sync_service_where_it_listens(
    compose: dict[str, Any], objects: list[dict[str, Any]], tmp_path: Path
) -> None:
    settings = read_settings(DEPLOY / "hub.toml")
    assert isinstance(settings.gateway, Envoy)
    listening = set()
    for name, service in compose["services"].items():
        arguments = called(service)
        if arguments is not None and (not arguments or arguments[0] == "sync"):
            listening.add(f"{name}:{stores_port(arguments, settings)}")
    assert listening == set(settings.gateway.services)
    assert len(listening) >= 3
    in_pod = settings_of(objects, tmp_path)
    assert isinstance(in_pod.gateway, Envoy)
    found = set()
    for name, pod in pods(objects):
        for container in pod["containers"]:
            arguments = called(container)
            if arguments is not None and (not arguments or arguments[0] == "sync"):
                port = stores_port(arguments, in_pod)
                assert port in {each["containerPort"] for each in container["ports"]}
                found.add(f"{name}:{port}")
    assert found == set(in_pod.gateway.services)


def test_services_share_no_disk(compose: dict[str, Any], objects: list[dict[str, Any]]) -> None:
    holders: dict[str, list[str]] = {}
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            if not volume.startswith("."):
                holders.setdefault(volume.partition(":")[0], []).append(name)
    assert holders.pop("gateway") == ["gateway-config", "envoy"]  # which are neighbours by their nature
    assert {volume: len(names) for volume, names in holders.items()} == dict.fromkeys(
        set(compose["volumes"]) - {"gateway"}, 1
    )
    for each in objects:
        if each["kind"] == "Deployment":
            kinds = {next(iter(set(volume) - {"name"})) for volume in each["spec"]["template"]["spec"]["volumes"]}
            assert kinds <= {"emptyDir", "configMap", "secret"}


def test_head_office_finds_its_servers_under_the_names_that_they_have(
    compose: dict[str, Any], objects: list[dict[str, Any]], tmp_path: Path
) -> None:
    in_cluster = {
        f"{each['metadata']['name']}:{port['port']}"
        for each in objects if each["kind"] == "Service" for port in each["spec"]["ports"]
    }  # fmt: skip
    for settings in (read_settings(DEPLOY / "hub.toml"), settings_of(objects, tmp_path)):
        assert isinstance(settings.event_log, KafkaLog)
        assert isinstance(settings.master, PostgresTables)
        assert isinstance(settings.analytics, ClickReports)
        postgres, click = urlsplit(settings.master.dsn), urlsplit(settings.analytics.url)
        wanted = {settings.event_log.servers, f"{postgres.hostname}:{postgres.port}", f"{click.hostname}:{click.port}"}
        assert {each.partition(":")[0] for each in wanted} <= set(compose["services"])
        assert wanted <= in_cluster
        assert postgres.password is None
        shown = compose["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
        assert shown == f"PLAINTEXT://{settings.event_log.servers}"
        assert compose["services"]["clickhouse"]["environment"]["CLICKHOUSE_USER"] == settings.analytics.user
        assert compose["services"]["clickhouse"]["environment"]["CLICKHOUSE_DB"] == settings.analytics.database
        assert compose["services"]["postgres"]["environment"]["POSTGRES_USER"] == postgres.username
        assert "/" + compose["services"]["postgres"]["environment"]["POSTGRES_DB"] == postgres.path


def test_services_in_the_cluster_lead_to_ports_that_are_there(objects: list[dict[str, Any]]) -> None:
    named = {
        name: {port["name"] for container in pod["containers"] for port in container.get("ports", [])}
        for name, pod in pods(objects)
    }
    for each in objects:
        if each["kind"] == "Service":
            app = each["spec"]["selector"]["app"]
            assert {port["targetPort"] for port in each["spec"]["ports"]} <= named[app]
    for name, pod in pods(objects):
        (owner,) = (each for each in objects if "template" in each.get("spec", {}) and each["metadata"]["name"] == name)
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in owner["spec"].get("volumeClaimTemplates", [])}
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_our_containers_read_what_is_in_their_environment_and_no_password_stands_anywhere(
    compose: dict[str, Any], objects: list[dict[str, Any]]
) -> None:
    for service in compose["services"].values():
        environment = service.get("environment", {})
        if ours(service):
            assert set(environment) <= ENVIRONMENT
            assert set(service.get("secrets", [])) <= set(compose["secrets"])
        assert [name for name in environment if "PASSWORD" in name and not name.endswith("_FILE")] == []
    for container in containers(objects):
        names = {each["name"] for each in container.get("env", [])}
        if ours(container):
            assert names <= ENVIRONMENT
        assert [name for name in names if "PASSWORD" in name and not name.endswith("_FILE")] == []
    script = (DEPLOY / "secrets.sh").read_text("utf-8")
    for secret in compose["secrets"].values():
        assert f">{secret['file']}" in script
    assert (DEPLOY / ".gitignore").read_text("utf-8").split() == ["secrets/"]


def test_every_way_to_start_the_program_is_one_that_it_has(
    compose: dict[str, Any], objects: list[dict[str, Any]]
) -> None:
    started = [called(each) for each in [*compose["services"].values(), *containers(objects)]]
    given = [arguments for arguments in started if arguments is not None]
    assert len(given) >= 7
    for arguments in given:
        parser().parse_args([*arguments, "--data-dir", "/var/lib/tillmesh"])
    with pytest.raises(SystemExit):
        parser().parse_args(["syncronise", "--data-dir", "/var/lib/tillmesh"])
    docker = (DEPLOY / "Dockerfile").read_text("utf-8")
    for file in re.findall(r"requirements/[\w.]+\.txt", docker):
        assert (ROOT / file).is_file()


@pytest.mark.slow
@pytest.mark.service
def test_envoy_takes_what_is_written_for_these_settings(objects: list[dict[str, Any]], tmp_path: Path) -> None:
    open_hub(tmp_path / "hub").close()
    for number, settings in enumerate((read_settings(DEPLOY / "hub.toml"), settings_of(objects, tmp_path))):
        assert isinstance(settings.gateway, Envoy)
        assert settings.gateway.folder == "/var/lib/tillmesh/gateway"
        here = msgspec.structs.replace(settings.gateway, folder=str(tmp_path / f"envoy-{number}"))
        embedded = msgspec.structs.replace(settings, gateway=here, event_log=SqliteLog(), master=SqliteTables())
        folder = Gateway(tmp_path / "hub", embedded).write_all(now_ms())
        checked = subprocess.run(
            [find_envoy(), "--mode", "validate", "-c", str(folder / "envoy.yaml")],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert checked.returncode == 0, checked.stderr[-2_000:]
