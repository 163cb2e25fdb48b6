"""The registry of models in MLflow's own tables, in SQLite or PostgreSQL, so that its tools see the same versions.

A model is a *registered model*; each of our versions is one of MLflow's, which counts them by itself, so ours stands in
a tag. Aliases are MLflow's own. Figures of a model's card are metrics of a run. The roll-out, of which MLflow knows
nothing, is a tag of the model. Bundles stay in head office's folder; ``source`` names them.

Importing MLflow takes seconds, and making its tables some more: that happens when head office starts, once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tillmesh.edge.bundle import Manifest
from tillmesh.fleet.models import Published, Rollout, aliases_of, check_next
from tillmesh.fleet.ports import Away
from tillmesh.kernel.errors import TooLarge

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when it is imported

from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

TAG: Final = "tillmesh."
TAG_CHARS_MAX: Final = 90_000  # MLflow's own limit is a little above
PAGE: Final = 100
EXPERIMENT: Final = "tillmesh"
AWAY_MS: Final = 5_000
_TAGS: Final = ("version", "sha256", "size", "at_ms", "by", "signer", "manifest")
T = TypeVar("T")
for _loud in ("mlflow", "alembic"):
    logging.getLogger(_loud).setLevel(logging.WARNING)


class MlflowRegistry:
    """Versions and roll-outs. One thread at a time."""

    def __init__(self, uri: str, folder: Path) -> None:
        self._uri, self._folder = uri, folder

    @cached_property
    def _client(self) -> MlflowClient:
        """Made when it is first needed, with the tables: a server that is away is no reason not to start."""
        return MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)

    def names(self) -> list[str]:
        """List the models, in the order of the alphabet."""
        return sorted(model.name for model in self._models() if any(self._of(model.name)))

    def versions(self, name: str) -> list[Published]:
        """List the versions of a model, the latest first."""
        found = [_published(name, one.tags) for one in self._of(name)]
        return sorted(found, key=lambda one: one.version, reverse=True)

    def put(self, version: Published) -> None:
        """Add a version; raises Conflict unless it is later than all others of its name."""
        if not check_next(self.versions(version.name), version):
            return
        tags = {TAG + name: _text(getattr(version, name)) for name in _TAGS}
        with _reached():
            if not any(model.name == version.name for model in self._models()):
                self._client.create_registered_model(version.name)
            source = (self._folder / version.sha256[:2] / f"{version.sha256}.bundle").absolute().as_uri()
            self._client.create_model_version(version.name, source, run_id=self._run_of(version), tags=tags)

    def rollouts(self) -> dict[str, Rollout]:
        """Give who is to run what, of every model that anybody decided on."""
        tagged = {model.name: model.tags.get(TAG + "rollout") for model in self._models()}
        return {
            name: msgspec.json.decode(held, type=Rollout) for name, held in sorted(tagged.items()) if held is not None
        }

    def note(self, name: str, rollout: Rollout) -> None:
        """Change who is to run what; the aliases follow. Should it end in between, the next change mends them."""
        numbers = {int(one.tags[TAG + "version"]): one.version for one in self._of(name)}
        wanted = aliases_of(rollout)
        with _reached():
            self._client.set_registered_model_tag(name, TAG + "rollout", _text(msgspec.json.encode(rollout)))
            for alias, version in wanted.items():
                self._client.set_registered_model_alias(name, alias, numbers[version])
            for alias in self.aliases(name).keys() - wanted.keys():
                self._client.delete_registered_model_alias(name, alias)

    def aliases(self, name: str) -> dict[str, int]:
        """Give which version each alias names."""
        numbers = {str(one.version): int(one.tags[TAG + "version"]) for one in self._of(name)}
        for model in self._models():
            if model.name == name:
                return {alias: numbers[str(at)] for alias, at in sorted(model.aliases.items()) if str(at) in numbers}
        return {}

    def close(self) -> None:
        """Nothing is held open: MLflow keeps its connections in a pool of the process."""

    def _models(self) -> list[Any]:
        with _reached():
            return list(_paged(lambda token: self._client.search_registered_models(max_results=PAGE, page_token=token)))

    def _of(self, name: str) -> list[Any]:
        """Give MLflow's versions that are ours, by their tags."""
        asked = f"name='{name}'"
        with _reached():
            found = _paged(lambda token: self._client.search_model_versions(asked, max_results=PAGE, page_token=token))
            return [one for one in found if TAG + "version" in one.tags]

    def _run_of(self, version: Published) -> str:
        """Put the figures of the model's card where MLflow compares them."""
        manifest = msgspec.json.decode(version.manifest, type=Manifest)
        held = self._client.get_experiment_by_name(EXPERIMENT)
        experiment = held.experiment_id if held is not None else self._client.create_experiment(EXPERIMENT)
        run = self._client.create_run(
            experiment, start_time=version.at_ms, run_name=f"{version.name} {version.version}"
        ).info.run_id
        params = {"engine": manifest.engine, "task": manifest.task, "licence": manifest.licence}
        self._client.log_batch(
            run,
            metrics=[Metric(name, value, version.at_ms, 0) for name, value in manifest.metrics.items()],
            params=[Param(name, value[:500]) for name, value in params.items()],
        )
        self._client.set_terminated(run, end_time=version.at_ms)
        return str(run)


def _paged(ask: Callable[[str | None], Any]) -> Iterator[Any]:
    token = None
    while True:
        page = ask(token)
        yield from page
        token = page.token
        if not token:
            return


def _text(value: object) -> str:
    text = value.decode() if isinstance(value, bytes) else str(value)
    if len(text) > TAG_CHARS_MAX:
        raise TooLarge(f"{len(text)} characters; MLflow keeps {TAG_CHARS_MAX} in a tag", hint="Name fewer stores.")
    return text


def _published(name: str, tags: dict[str, str]) -> Published:
    of = {field: tags.get(TAG + field, "") for field in _TAGS}
    return Published(
        name=name, version=int(of["version"]), sha256=of["sha256"], size=int(of["size"]),
        manifest=of["manifest"].encode(), at_ms=int(of["at_ms"]), by=of["by"], signer=of["signer"],
    )  # fmt: skip


@contextmanager
def _reached() -> Iterator[None]:
    """Say in our words that the registry can't be reached."""
    try:
        yield
    except (MlflowException, SQLAlchemyError) as cause:
        detail = f"MLflow's tables can't be used: {str(cause)[:300]}"
        raise Away(detail, part="registry of models", retry_after_ms=AWAY_MS) from cause
