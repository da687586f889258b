"""Versions in a model registry of MLflow: its own client shows and loads them."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mlopsim.core.digest import digest_bytes
from mlopsim.core.errors import ConfigError, MissingExtraError, MlopsimError
from mlopsim.core.files import ensure_writable
from mlopsim.core.spec import label
from mlopsim.governance.lineage.flavor import write_mlmodel
from mlopsim.governance.lineage.lineage import Lineage
from mlopsim.governance.lineage.passage import Span
from mlopsim.governance.lineage.version import VersionRecord
from mlopsim.governance.record.events import FALLBACK

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

#: aliases: what serves, and the canary beside it
CHAMPION, CANARY = "champion", "canary"
#: what a tag of MLflow holds at most
LONGEST = 5000
#: attempts and seconds with a server, unless the user's environment says otherwise: MLflow's own patience is
#: many minutes
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
_KINDS = ("sqlite", "postgresql", "mysql", "mssql", "http", "https", "databricks", "databricks-uc")
_REMEDY = "name one that you may write, e.g. sqlite:///mlflow.db, or the address of a server of MLflow"


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What stands in a registry now.

    Parameters
    ----------
    name : str
        Of the registered model.
    numbers : dict of int to int
        Version of the deployment to version of the registry.
    added : int
        How many were not there before.
    champion : int or None
        The version that has the alias; None: the fallback served.
    forms : dict of int to str
        The form that each added version is stored in.
    """

    name: str
    numbers: dict[int, int]
    added: int
    champion: int | None
    forms: dict[int, str]


def export_to_mlflow(
    lineage: Lineage,
    uri: str,
    *,
    name: str = "deploy",
    at: int | None = None,
    artifacts: str | None = None,
) -> Exported:
    """Write all versions of a deployment into a registry of MLflow, and say which one is champion.

    A version that is there already is left as it is; so the same deployment can be exported again to move
    the alias.

    Parameters
    ----------
    lineage : Lineage
    uri : str
        Of registry and tracking: ``sqlite:///mlflow.db``, another database, a server.
    name : str, default "deploy"
        Of the registered model.
    at : int, optional
        The window whose champion gets the alias; by default the last one.
    artifacts : str, optional
        Where the models' files go; by default ``mlartifacts`` beside a SQLite file, else where the server
        says.

    Raises
    ------
    MissingExtraError
        Without mlflow.
    ConfigError
        If the window is unknown, or the registry has a model of that name that is of something else.
    MlopsimError
        If the registry cannot be written.
    """
    interval = lineage.traffic.at(lineage.traffic.last if at is None else at)
    check_registry(uri)
    shown = _without_password(uri)
    client = _client(uri)
    versions = lineage.versions()
    with _told(shown):
        numbers, forms = _write(client, lineage, versions, name, _artifacts(uri, artifacts))
        champion = None if interval.version == FALLBACK else interval.version
        for alias, version in ((CHAMPION, champion), (CANARY, interval.canary)):
            held = client.get_registered_model(name).aliases
            if version is not None:
                client.set_registered_model_alias(name, alias, str(numbers[version]))
            elif alias in held:
                client.delete_registered_model_alias(name, alias)
    return Exported(name=name, numbers=numbers, added=len(forms), champion=champion, forms=forms)


def _client(uri: str) -> MlflowClient:
    """Return MLflow's client, silent and without telemetry."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    for key, value in _PATIENCE.items():
        os.environ.setdefault(key, value)
    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.WARNING)
    try:
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise MissingExtraError("a registry of MLflow", "mlflow") from error
    for logger in ("mlflow", "alembic"):
        # importing it sets them up anew
        logging.getLogger(logger).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def check_registry(uri: str) -> None:
    """Refuse what cannot be a registry before anything is computed.

    Raises
    ------
    ConfigError
        If it is no address of a registry, or names something else.
    MlopsimError
        If its file cannot be written.
    """
    shown = _without_password(uri)
    scheme = uri.partition(":")[0].partition("+")[0]
    if scheme not in _KINDS or ":" not in uri:
        raise ConfigError(
            f"'{shown}' is no registry of MLflow that can be written: its address must begin with "
            f"{', '.join(f'{kind}:' for kind in _KINDS)}",
            remedy=_REMEDY,
        )
    path = _file_of(uri)
    if path is None:
        return
    if not path.name:
        raise ConfigError(f"'{shown}' names no file", remedy="sqlite:///mlflow.db")
    if path.is_dir():
        raise ConfigError(f"the registry {shown} is a folder", remedy=_REMEDY)
    try:
        ensure_writable(path.parent)
    except MlopsimError as error:
        raise MlopsimError(
            f"the registry {shown} cannot be written: {error.message}", remedy=_REMEDY
        ) from error
    if path.exists():
        if not os.access(path, os.W_OK):
            raise MlopsimError(f"the registry {shown} cannot be written", remedy=_REMEDY)
        with path.open("rb") as handle:
            begin = handle.read(16)
        if begin and begin != b"SQLite format 3\0":
            raise ConfigError(f"{path} is there and no SQLite database", remedy=_REMEDY)


def _file_of(uri: str) -> Path | None:
    """Return the file of a SQLite address; None for others.

    Examples
    --------
    >>> _file_of("sqlite:///a/b.db").as_posix(), _file_of("sqlite:////a/b.db").as_posix()
    ('a/b.db', '/a/b.db')
    """
    if not uri.startswith("sqlite:"):
        return None
    return Path(unquote(urlsplit(uri).path.removeprefix("/")))


def _artifacts(uri: str, given: str | None) -> str | None:
    """Return where files go; None: where the server says."""
    if given is not None:
        return given if "://" in given else Path(given).absolute().as_uri()
    path = _file_of(uri)
    return None if path is None else (path.absolute().parent / "mlartifacts").as_uri()


def _without_password(uri: str) -> str:
    """Return an address as it may be shown.

    Examples
    --------
    >>> _without_password("postgresql://ann:secret@host/db"), _without_password("sqlite:///a.db")
    ('postgresql://ann:***@host/db', 'sqlite:///a.db')
    """
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", uri)


@contextlib.contextmanager
def _told(shown: str) -> Iterator[None]:
    """Turn what MLflow, its database and the network raise into one message."""
    try:
        yield
    except MlopsimError:
        raise
    except Exception as error:
        # stores of databases and servers raise what they like: it is told with its cause
        cause = " ".join(str(error).split())
        raise MlopsimError(
            f"the registry {shown} cannot be written: {_without_password(cause)[:200]}", remedy=_REMEDY
        ) from error


def _write(
    client: MlflowClient,
    lineage: Lineage,
    versions: list[VersionRecord],
    name: str,
    artifacts: str | None,
) -> tuple[dict[int, int], dict[int, str]]:
    cell = lineage.deployed.cell
    known = _known(client, lineage, name)
    experiment = _experiment(client, f"mlopsim {name} {cell}", artifacts)
    numbers: dict[int, int] = {}
    forms: dict[int, str] = {}
    for record in versions:
        mark = digest_bytes(record.line())
        if record.number in known:
            number, stored = known[record.number]
            if stored != mark:
                raise ConfigError(
                    f"the registry has version {record.number} of '{name}' with another record",
                    remedy="write to another --name, or another registry",
                )
            numbers[record.number] = number
            continue
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "model"
            folder.mkdir()
            forms[record.number] = write_mlmodel(folder, record, lineage.world.source)
            run = client.create_run(experiment, run_name=f"version {record.number}").info
            _measures(client, run.run_id, record)
            client.log_artifacts(run.run_id, str(folder), "model")
        client.set_terminated(run.run_id)
        made = client.create_model_version(
            name,
            source=f"{run.artifact_uri}/model",
            run_id=run.run_id,
            tags={**tags_of(record), "mlopsim.record": mark},
            description=sentence(record),
        )
        numbers[record.number] = int(made.version)
    return numbers, forms


def _known(client: MlflowClient, lineage: Lineage, name: str) -> dict[int, tuple[int, str]]:
    """Return the versions that the registry has of this deployment: number there, digest of the record."""
    cell = lineage.deployed.cell
    held = [model for model in client.search_registered_models() if model.name == name]
    if not held:
        traffic = lineage.traffic
        served = ", ".join(f"{i.first}-{i.last}: {i.version}" for i in traffic.intervals)
        client.create_registered_model(
            name,
            tags={
                "mlopsim.cell": cell,
                "mlopsim.method": lineage.deployed.method,
                "mlopsim.serving": served if len(served) <= LONGEST else "see mlopsim.served of the versions",
            },
            description=f"Versions of the deployment {cell}; -2 is the fallback",
        )
        return {}
    if held[0].tags.get("mlopsim.cell") != cell:
        raise ConfigError(
            f"the registry has a model '{name}' of something else", remedy="choose another name: --name NAME"
        )
    return {
        int(version.tags["mlopsim.version"]): (int(version.version), version.tags.get("mlopsim.record", ""))
        for version in client.search_model_versions(f"name='{name}'")
        if "mlopsim.version" in version.tags
    }


def _experiment(client: MlflowClient, name: str, artifacts: str | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(name, artifact_location=artifacts))


def _measures(client: MlflowClient, run: str, record: VersionRecord) -> None:
    """Write what is known of a version to its run: what MLflow shows as metrics and parameters."""
    world: Any = record.world or {}
    parameters = {
        "learner": label("learner", world["learner"]) if world else "unknown",
        "trained_on": f"{record.training.first}-{record.training.last}",
        "rows": record.training.rows,
        "removed": sum(part.rows for part in record.training.removed),
    }
    from mlflow.entities import Metric, Param

    measures = {}
    for one in record.measured:
        where = one.on.replace(" ", "_") + ("" if one.group is None else f"/{_safe(one.group)}")
        measures[f"{where}/n"] = float(one.n)
        for key in ("accuracy", "precision", "recall", "f1"):
            value = getattr(one, key)
            if value is not None:
                measures[f"{where}/{key}"] = value
    client.log_batch(
        run,
        metrics=[Metric(key, value, 0, 0) for key, value in measures.items()],
        params=[Param(key, str(value)) for key, value in parameters.items()],
    )


def _safe(text: str) -> str:
    """Return a text as MLflow takes it as a part of the name of a metric; two texts never become one.

    What it does not take stands there as ``_`` and its bytes in UTF-8, ``_`` as ``__``, and no text as ``_``.

    Examples
    --------
    >>> _safe(">50K (a)"), _safe("<50K"), _safe("a_b"), _safe(".."), _safe("")
    ('_3e50K _28a_29', '_3c50K', 'a__b', '_2e_2e', '_')
    """
    # a part that is nothing, or a step in a path, is no name
    odd = r"." if text in (".", "..") else r"[^A-Za-z0-9\-. ]"
    return re.sub(odd, lambda one: "__" if one[0] == "_" else f"_{one[0].encode().hex()}", text) or "_"


def spans(found: tuple[Span, ...]) -> str:
    """Return intervals as text.

    Examples
    --------
    >>> spans((Span(first=5, last=9), Span(first=12, last=12)))
    '5-9, 12-12'
    """
    return ", ".join(f"{span.first}-{span.last}" for span in found)


def tags_of(record: VersionRecord) -> dict[str, str]:
    """Return what a version of the registry is tagged with; what there is none of has no tag."""
    training, left = record.training, record.left
    found = {
        "cell": record.cell,
        "version": str(record.number),
        "parent": None if record.parent is None else str(record.parent),
        "decided": None if record.decided is None else f"{record.decided} by {record.decided_by}",
        "state": record.state,
        "served": spans(record.served),
        "canary": spans(record.canary),
        "approved_by": record.approved_by,
        "trained_on": f"{training.first}-{training.last}",
        "rows": str(training.rows),
        "rows_digest": training.digest,
        "removed": "; ".join(f"{part.rows} by {part.by}" for part in training.removed),
        "gates": "; ".join(f"{one.gate}: {one.verdict}" for one in record.judged),
        "left": None if left is None else f"{left.window}: {left.why}",
    }
    return {f"mlopsim.{key}": value[:LONGEST] for key, value in found.items() if value}


def sentence(record: VersionRecord) -> str:
    """Return what a version is, in a sentence."""
    text = f"Version {record.number}, trained on windows {record.training.first} to {record.training.last} "
    text += f"({record.training.rows} rows); "
    if record.approved_by is not None:
        text += f"approved by {record.approved_by}; "
    served = spans(record.served)
    return text + (f"served windows {served}" if served else f"never served ({record.state})")
