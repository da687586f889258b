"""A deployment whose models are audited window by window: one for all, or one retrained for each."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import Spec, make
from mlopsim.core.threads import one_thread
from mlopsim.fairness.audit import Audit
from mlopsim.fairness.deceptive_model import Scaffold
from mlopsim.fairness.evidence import Evidence, Explained
from mlopsim.fairness.explaining import Explaining, lime_values, score_of, shap_values
from mlopsim.fairness.flipping import moved
from mlopsim.fairness.reweighing_weights import reweighing
from mlopsim.learners.base import BatchLearner, Model
from mlopsim.learners.encode import Encoder
from mlopsim.learners.models import LinearModel
from mlopsim.streams.layout import branch
from mlopsim.streams.sources.population import Population
from mlopsim.streams.stream import Stream

#: branches of a deployment's seed: training, and what explanations draw
TRAIN, BACKGROUND, CHOSEN, LIME = range(4)
#: what the model that deceives takes off, at strength 1
MALUS = 1.0


@dataclass(frozen=True, kw_only=True)
class Views:
    """What audits see of the same models: the newest rows, and the last ones whose labels are there.

    Parameters
    ----------
    newest, labelled : Evidence
        One and the same where labels are there at once.
    """

    newest: Evidence
    labelled: Evidence

    def of(self, audit: Audit) -> Evidence:
        """Return what an audit looks at."""
        return self.labelled if audit.waits else self.newest


@dataclass(kw_only=True)
class Deployment:
    """Windows of people and the models that are audited on them.

    The model of window t is audited on the rows of window t, which it was not trained on: at first the one
    that the warm-up gave, then every so many windows one that is trained on the last ``warmup`` windows whose
    labels are there. After window t the labels of windows up to t - L are known, L being the label delay;
    those of the warm-up are there when the deployment begins. What needs labels is then late twice: a new
    model is trained on older windows, and an audit that uses labels looks at what the model of window t says
    of the rows of window t - L. Audits without labels look at window t itself.

    Parameters
    ----------
    stream : Stream
        With the truth about the bias.
    learner : spec of a learner
        That can count rows by weights, if models are reweighed.
    every : int
        Windows from one training to the next; 0: the first model stays.
    first_only : bool
        Whether groups are those of the first of two attributes.
    fools : bool
        Whether models are built to deceive explanations, as strongly as the bias is.
    label_delay : int, default 0
        Windows L from a window to its labels.
    explaining : Explaining
    seed : numpy.random.SeedSequence
        Of training and explanations.
    """

    stream: Stream
    learner: Spec
    every: int
    explaining: Explaining
    seed: np.random.SeedSequence
    first_only: bool = False
    fools: bool = False
    label_delay: int = 0
    _encoder: Encoder = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.stream.bias is None:
            raise ConfigError("the truth about the bias is not known", remedy="stream=population")
        if self.stream.n_classes != 2:
            raise ConfigError(f"audits need two classes, the stream has {self.stream.n_classes}")
        if not 0 <= self.label_delay < len(self.audited):
            raise ConfigError(
                f"a label delay of {self.label_delay} windows leaves no audit a label: {len(self.audited)} "
                "windows are audited",
                remedy=f"label_delay: 0 to {len(self.audited) - 1}",
            )
        self._encoder = Encoder.fit(self.stream)

    @property
    def audited(self) -> range:
        """The windows that are audited."""
        return range(self.stream.warmup, self.stream.windows)

    @cached_property
    def Z(self) -> np.ndarray:
        """All rows as models take them, float64 (n, d)."""
        return self._encoder.transform(self.stream.X)

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Return other rows as models take them."""
        return self._encoder.transform(X)

    def rows(self, first: int, last: int) -> slice:
        """Return the rows of the windows ``first..last``."""
        return slice(int(self.stream.bounds[first]), int(self.stream.bounds[last + 1]))

    def span(self, window: int) -> tuple[int, int]:
        """Return the first and last window that the model of a window was trained on."""
        length = self.stream.warmup
        # the labels of the warm-up are there from the start
        last = max(self.release(window) - 1 - self.label_delay, length - 1)
        return last + 1 - length, last

    def release(self, window: int) -> int:
        """Return the window from which on the model of a window is there."""
        first = self.stream.warmup
        return first + (window - first) // self.every * self.every if self.every else first

    def train(self, *, reweighed: bool = False) -> list[Model]:
        """Return the model of each audited window.

        Parameters
        ----------
        reweighed : bool, default False
            Whether rows are counted so that group and label are independent, see
            :func:`mlopsim.fairness.reweighing`.
        """
        releases = sorted({self.release(t) for t in self.audited})
        learner: Any = make("learner", self.learner)
        with one_thread():
            if isinstance(learner, BatchLearner) and not reweighed:
                models = dict(zip(releases, self._together(learner, releases), strict=True))
            else:
                models = {t: self._trained(t, reweighed) for t in releases}
        return self._deceiving([models[self.release(t)] for t in self.audited])

    def _together(self, learner: BatchLearner, releases: list[int]) -> list[Model]:
        """Train the models that are released in these windows in one call."""
        stream = self.stream
        assert stream.bias is not None
        kept = np.flatnonzero(stream.bias.kept)
        counts = np.concatenate([[0], np.cumsum(np.add.reduceat(stream.bias.kept, stream.bounds[:-1]))])
        spans = np.array([self.span(t) for t in releases], dtype=np.int64)
        models = learner.fit_versions(
            self.Z[kept], stream.y[kept], 2, counts.astype(np.int64), spans[:, 0], spans[:, 1]
        )
        return [models.model(i) for i in range(len(spans))]

    def _trained(self, window: int, reweighed: bool) -> Model:
        kept = self.training_rows(window)
        learner: Any = make("learner", self.learner)
        # one seed for every window: what differs is what the models are trained on
        seed = branch(self.seed, TRAIN)
        X, y = self.Z[kept], self.stream.y[kept]
        more = {"weight": reweighing(self.group[kept], y)} if reweighed else {}
        model: Model = learner.fit(X, y, 2, seed, **more)
        return model

    def _deceiving(self, models: list[Model]) -> list[Model]:
        """Return the models, each with its malus where they are built to deceive."""
        if not self.fools:
            return models
        stream = self.stream
        assert stream.bias is not None
        column = stream.features.index("place")
        found: list[Model] = []
        for t, model in zip(self.audited, models, strict=True):
            if not isinstance(model, LinearModel):
                raise ConfigError("models that deceive are linear", remedy="learner=ridge")
            found.append(
                Scaffold(
                    base=model,
                    malus=MALUS * float(stream.bias.strength[t]),
                    column=column,
                    scale=self._encoder.scale,
                    centre=self._encoder.centre,
                )
            )
        return found

    @cached_property
    def group(self) -> np.ndarray:
        """Group of each row that audits compare, int64 (n,)."""
        return self.stream.g // 2 if self.first_only else self.stream.g

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups that audits compare."""
        names = self.stream.groups
        return tuple(name.split()[0] for name in names[::2]) if self.first_only else names

    def evidence(self, models: Sequence[Model], *, labelled: bool = False) -> Evidence:
        """Return what audits see of the models, one for each audited window.

        Parameters
        ----------
        models : sequence of T models
        labelled : bool, default False
            Whether rows are those whose labels are there by then: of the window that is ``label_delay``
            earlier, none of the warm-up.
        """
        stream, first = self.stream, self.stream.warmup
        assert stream.bias is not None
        late = self.label_delay if labelled else 0
        part = self.rows(first, stream.windows - 1 - late)
        Z = self.Z[part]
        sizes = np.diff(stream.bounds)[first : stream.windows - late]
        sizes = np.concatenate([np.zeros(late, dtype=sizes.dtype), sizes])
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        runs = _runs(models)
        decision, score = np.empty(len(Z), dtype=np.bool_), np.empty(len(Z))
        with one_thread():
            for low, high in runs:
                place = slice(bounds[low], bounds[high])
                # labels of a model's first windows may not be there while it stays
                if bounds[high] > bounds[low]:
                    decision[place], score[place] = _answers(models[low], Z[place])
            trained = np.empty((len(models), 2, 2), dtype=np.int64)
            for low, high in runs:
                trained[low:high] = self._promised(models[low], first + low)
        group = self.group[part]
        source = _Source(deployment=self, models=models, runs=runs, Z=Z, group=group, bounds=bounds)
        return Evidence(
            window=np.repeat(np.arange(len(sizes)), sizes),
            windows=len(sizes),
            group=group,
            groups=self.groups,
            decision=decision,
            score=score,
            X=Z,
            features=self._encoder.names,
            observed=stream.y[part],
            true=stream.bias.y[part],
            trained=trained,
            explain=source.explain,
            flip=source.flip,
            known=source.known(),
        )

    def views(self, models: Sequence[Model]) -> Views:
        """Return what audits see of the models, those that use labels and others."""
        newest = self.evidence(models)
        labelled = self.evidence(models, labelled=True) if self.label_delay else newest
        return Views(newest=newest, labelled=labelled)

    def training_rows(self, window: int) -> np.ndarray:
        """Return the numbers of the rows that the model of a window was trained on, int64."""
        assert self.stream.bias is not None
        part = self.rows(*self.span(window))
        found: np.ndarray = part.start + np.flatnonzero(self.stream.bias.kept[part])
        return found

    def _promised(self, model: Model, window: int) -> np.ndarray:
        rows = self.training_rows(window)
        says = model.predict(self.Z[rows]).astype(np.int64)
        found: np.ndarray = np.bincount(2 * self.stream.y[rows] + says, minlength=4).reshape(2, 2)
        return found

    def background(self, window: int, repeat: int) -> np.ndarray:
        """Return background rows of the model of a window, float64 (m, d)."""
        rng = np.random.default_rng(branch(self.seed, BACKGROUND, self.release(window), repeat))
        rows = self.training_rows(window)
        count = min(self.explaining.background, len(rows))
        found: np.ndarray = self.Z[rng.choice(rows, size=count, replace=False)]
        return found

    def generator(self, what: int, window: int, repeat: int) -> np.random.Generator:
        """Return the generator of an explanation."""
        return np.random.default_rng(branch(self.seed, what, window, repeat))


@dataclass(kw_only=True)
class _Source:
    """Explanations of the models of a deployment, made when they are asked for."""

    deployment: Deployment
    models: Sequence[Model]
    runs: list[tuple[int, int]]
    Z: np.ndarray
    group: np.ndarray
    bounds: np.ndarray

    def explain(self, name: str, repeat: int) -> Explained:
        """Return attributions."""
        d = self.deployment
        rows = np.arange(len(self.Z)) if name == "shap" else self._chosen()
        edges = np.searchsorted(rows, self.bounds)
        values = np.empty((len(rows), self.Z.shape[1]))
        with one_thread():
            for low, high in self.runs:
                window = d.stream.warmup + low
                model, background = self.models[low], d.background(window, repeat)
                place = slice(edges[low], edges[high])
                X = self.Z[rows[place]]
                if not len(X):
                    continue
                rng = d.generator(LIME, window, repeat)
                if name == "shap":
                    values[place] = shap_values(model, X, background, rng)
                else:
                    values[place] = lime_values(model, X, background, d.explaining.samples, rng)
        return Explained(rows=rows, values=values)

    def _chosen(self) -> np.ndarray:
        """Return the rows that LIME explains: as many of each group of a window as possible."""
        d, group = self.deployment, self.group
        each = max(d.explaining.rows // len(d.groups), 1)
        order = np.argsort(d.generator(CHOSEN, 0, 0).random(len(group)), kind="stable")
        window = np.searchsorted(self.bounds, np.arange(len(group)), side="right") - 1
        place = (window * len(d.groups) + group)[order]
        # the first so many of each window and group in a random order
        sorted_places = np.argsort(place, kind="stable")
        counts = np.bincount(place)
        rank = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
        found: np.ndarray = np.sort(order[sorted_places[rank < each]])
        return found

    def flip(self) -> tuple[np.ndarray, np.ndarray]:
        """Return decision and score of the rows as if they belonged to another group."""
        other = moved(self.Z, self.group, self.bounds, len(self.deployment.groups))
        decision, score = np.empty(len(other), dtype=np.bool_), np.empty(len(other))
        with one_thread():
            for low, high in self.runs:
                place = slice(self.bounds[low], self.bounds[high])
                if self.bounds[high] > self.bounds[low]:
                    decision[place], score[place] = _answers(self.models[low], other[place])
        return decision, score

    def known(self) -> np.ndarray:
        """Return mean absolute attributions in the last window that each model was trained on, (T, d).

        Of the rows of that window that reached the training.
        """
        d = self.deployment
        found = np.empty((len(self.models), self.Z.shape[1]))
        with one_thread():
            for low, high in self.runs:
                window = d.stream.warmup + low
                last = d.span(window)[1]
                rows = d.training_rows(window)
                part = rows[rows >= d.stream.bounds[last]]
                background = d.background(window, 0)
                rng = d.generator(LIME, window, 0)
                values = shap_values(self.models[low], d.Z[part], background, rng)
                found[low:high] = np.abs(values).mean(axis=0)
        return found


def _answers(model: Model, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    score = score_of(model, X)
    if isinstance(model, LinearModel | Scaffold):
        return score > 0.0, score
    return model.predict(X) == 1, score


def _runs(models: Sequence[Model]) -> list[tuple[int, int]]:
    """Return stretches of windows with one and the same model.

    Examples
    --------
    >>> a, b = object(), object()
    >>> _runs([a, a, b])
    [(0, 2), (2, 3)]
    """
    edges = [0, *(i for i in range(1, len(models)) if models[i] is not models[i - 1]), len(models)]
    return [(low, high) for low, high in itertools.pairwise(edges) if high > low]


def deploy(
    content: Mapping[str, Any],
    scenario: np.random.SeedSequence,
    training: np.random.SeedSequence,
    explaining: Explaining,
) -> Deployment:
    """Draw a deployment.

    Parameters
    ----------
    content : mapping
        Parts ``stream`` (a population) and ``learner``, ``every`` and ``first_only``; ``label_delay`` if
        there is one.
    scenario, training : numpy.random.SeedSequence
        Seeds of the rows, and of the models and explanations.
    explaining : Explaining
    """
    source: Population = make("stream", content["stream"])
    return Deployment(
        stream=source.generate(scenario),
        learner=content["learner"],
        every=content["every"],
        first_only=content["first_only"],
        label_delay=content.get("label_delay", 0),
        fools=make("bias", source.bias).fools,
        explaining=explaining,
        seed=training,
    )


def unbiased(stream: Spec) -> Population:
    """Return the same population without any bias: the null."""
    source: Population = make("stream", stream)
    return dataclasses.replace(source, strength=0.0, bias="proxy", timing="step")
