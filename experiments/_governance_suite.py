"""The suite of the governance track that an experiment tabulates, and the folders that it works in."""

from __future__ import annotations

from pathlib import Path

import _common

from mlopsim.compose import Study, load_suite
from mlopsim.tracks.governance.track import GovernanceTrack


def opened(experiment: _common.Experiment) -> tuple[Study, Path]:
    """Return the study that the settings name, and the folder of its ledger; both folders are made.

    Parameters
    ----------
    experiment : Experiment
        Its settings name ``suite``, ``seeds``, ``conf`` and ``ledger``; they get the whole grid.

    Raises
    ------
    SystemExit
        If the suite is of another track.
    """
    settings = experiment.settings
    study = load_suite(settings["suite"], seeds=settings["seeds"], conf=settings["conf"])
    if not isinstance(study.track, GovernanceTrack):
        raise SystemExit(f"{settings['suite']} is a suite of {study.suite.track['name']}, not of governance")
    experiment.settings["grid"] = study.config
    ledger = _common.below_root(settings["ledger"])
    for folder in (ledger, experiment.folder):
        folder.mkdir(parents=True, exist_ok=True)
    return study, ledger
