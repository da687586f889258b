"""What MLflow loads a version with: the loader module of its flavor ``python_function``.

Nothing of MLflow is imported here, and nothing is unpickled.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from mlopsim.core.files import write_text
from mlopsim.governance.lineage.model_file import StoredModel, read_model, write_model
from mlopsim.governance.lineage.version import VersionRecord
from mlopsim.world.source import Source

#: folder of the version's files, beside the file ``MLmodel``
DATA = "data"


def write_mlmodel(folder: Path, record: VersionRecord, source: Source) -> str:
    """Write a version as a model of MLflow into a folder that is there.

    Parameters
    ----------
    folder : Path
    record : VersionRecord
    source : Source
        Of its World.

    Returns
    -------
    str
        The form that it is stored in, see :func:`mlopsim.governance.lineage.model_file.write_model`.
    """
    import yaml

    (folder / DATA).mkdir()
    form = write_model(folder / DATA, record, source)
    about = {
        "flavors": {
            "python_function": {
                "loader_module": __name__,
                "data": DATA,
                "python_version": platform.python_version(),
            }
        },
        # else MLflow draws one, and the same version would be other bytes
        "model_uuid": record.bits.scores,
        "metadata": {
            "cell": record.cell,
            "version": record.number,
            "classes": list(record.classes),
            "features": list(record.features),
        },
    }
    write_text(folder / "MLmodel", yaml.safe_dump(about, sort_keys=True, allow_unicode=True))
    return form


def _load_pyfunc(path: str) -> StoredModel:
    """Return the version in a folder; MLflow calls this."""
    return read_model(path)


def loader() -> Any:
    """Return what MLflow finds by name in this module.

    Examples
    --------
    >>> loader().__name__
    '_load_pyfunc'
    """
    return _load_pyfunc
