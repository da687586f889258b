"""A version as files that need no pickle: arrays and JSON, or the record that it is trained again from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json, digest_arrays, digest_bytes
from mlopsim.core.errors import DataError
from mlopsim.core.files import write_text
from mlopsim.core.threads import one_thread
from mlopsim.governance.lineage.rebuild import rebuild
from mlopsim.governance.lineage.version import VersionRecord, read_version
from mlopsim.learners.base import Model
from mlopsim.learners.encode import Encoder
from mlopsim.learners.models import ConstantModel, GaussianModel, LinearModel, Link
from mlopsim.world.source import Source

#: models that are arrays and numbers, by the name that a file has for them
FORMS: dict[str, type[Any]] = {"constant": ConstantModel, "gaussian": GaussianModel, "linear": LinearModel}
#: a version without arrays of its own: it is trained again when it is read
AGAIN = "trained again"
#: the files
RECORD, HEAD, ARRAYS = "version.json", "model.json", "model.npz"
_REMEDY = "export the version again"


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredModel:
    """A version that was read from its files.

    Parameters
    ----------
    record : VersionRecord
    encoder : Encoder
    model : Model
    categories : dict of int to tuple of str
        Names of the codes of each categorical feature.
    """

    record: VersionRecord
    encoder: Encoder
    model: Model
    categories: Mapping[int, tuple[str, ...]]

    def predict(self, data: Any) -> np.ndarray:
        """Return labels 0..C-1, int64 of shape (n,); ``record.classes`` names them.

        Parameters
        ----------
        data : ndarray of shape (n, d), or a table with the columns ``record.features``
            Features as they come; categorical ones by name in a table, by code in an array.

        Raises
        ------
        DataError
            If a column is missing, or rows do not fit.
        """
        with one_thread():
            answers = self.model.predict(self.encoder.transform(self._rows(data)))
        return np.asarray(answers, dtype=np.int64)

    def _rows(self, data: Any) -> np.ndarray:
        if not hasattr(data, "columns"):
            return np.asarray(data, dtype=np.float64)
        features = self.record.features
        missing = [name for name in features if name not in data.columns]
        if missing:
            raise DataError(
                f"the table has no column '{missing[0]}'",
                remedy=f"its columns must be: {', '.join(features)}",
            )
        columns = [self._codes(j, np.asarray(data[name])) for j, name in enumerate(features)]
        return np.stack(columns, axis=1) if columns else np.zeros((len(data), 0))

    def _codes(self, j: int, column: np.ndarray) -> np.ndarray:
        if j not in self.categories or column.dtype.kind in "fiu":
            return column.astype(np.float64)
        known = {name: float(code) for code, name in enumerate(self.categories[j])}
        # what was never seen is in no category, as a missing value is
        return np.array([known.get(str(value), np.nan) for value in column], dtype=np.float64)


def write_model(folder: Path, record: VersionRecord, source: Source) -> str:
    """Write a version into a folder that is there.

    Parameters
    ----------
    folder : Path
    record : VersionRecord
    source : Source
        Of its World.

    Returns
    -------
    str
        The form that it is stored in: a name of :data:`FORMS`, or :data:`AGAIN`.
    """
    write_text(folder / RECORD, record.line().decode("ascii"))
    model = source.model(record.number)
    form = next((name for name, cls in FORMS.items() if type(model) is cls), AGAIN)
    arrays, values = _parts("encoder", source.encoder)
    if form != AGAIN:
        mine, numbers = _parts("model", model)
        arrays, values = {**arrays, **mine}, {**values, **numbers}
    # numpy takes names of arrays as keywords, beside one of its own
    np.savez(folder / ARRAYS, allow_pickle=False, **arrays)
    head = {
        "form": form,
        "values": values,
        "arrays": digest_arrays(arrays),
        "record": digest_bytes(record.line()),
        "categories": {str(j): list(names) for j, names in source.stream.categories.items()},
    }
    write_text(folder / HEAD, canonical_json(head))
    return form


def read_model(folder: str | Path) -> StoredModel:
    """Read a version that :func:`write_model` wrote.

    Raises
    ------
    DataError
        If a file is missing or damaged, or a version that is trained again is another one.
    """
    folder = Path(folder)
    for name in (RECORD, HEAD, ARRAYS):
        if not (folder / name).is_file():
            raise DataError(f"the stored version has no {name}", remedy=_REMEDY)
    line = (folder / RECORD).read_bytes()
    record = read_version(line, RECORD)
    try:
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        with np.load(folder / ARRAYS, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        sound = head["arrays"] == digest_arrays(arrays) and head["record"] == digest_bytes(line)
        form, values = str(head["form"]), dict(head["values"])
        categories = {int(j): tuple(map(str, names)) for j, names in head["categories"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UnicodeError) as error:
        raise DataError(f"the stored version {record.number} cannot be read", remedy=_REMEDY) from error
    if not sound or form not in (*FORMS, AGAIN):
        raise DataError(f"the stored version {record.number} is damaged", remedy=_REMEDY)
    encoder = _build("encoder", Encoder, arrays, values)
    model = rebuild(record).model if form == AGAIN else _build("model", FORMS[form], arrays, values)
    return StoredModel(record=record, encoder=encoder, model=model, categories=categories)


def _parts(prefix: str, value: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Split a dataclass into its arrays and the rest, which is JSON."""
    arrays, rest = {}, {}
    for field in dataclasses.fields(value):
        item, name = getattr(value, field.name), f"{prefix}.{field.name}"
        if isinstance(item, np.ndarray):
            arrays[name] = item
        else:
            rest[name] = item.value if isinstance(item, Enum) else item
    return arrays, rest


def _build(prefix: str, cls: type[Any], arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> Any:
    """Put a dataclass together again."""
    given: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        name = f"{prefix}.{field.name}"
        if name not in arrays and name not in values:
            raise DataError(f"the stored version has no {name}", remedy=_REMEDY)
        value = arrays[name] if name in arrays else values[name]
        if isinstance(value, list):
            value = tuple(value)
        given[field.name] = Link(value) if field.name == "link" else value
    return cls(**given)
