"""Contract checks of biases."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np

from mlopsim.checks.base import Check, identical, own_randomness, require
from mlopsim.core.spec import make, params_of
from mlopsim.streams.biases.base import Bias, People
from mlopsim.streams.sources.population import Population
from mlopsim.streams.stream import Norm

#: strengths at which the effect is looked at, the last one being whole
STRENGTHS = (0.25, 0.5, 1.0)
#: hooks that give one value or row of values for each of the people
HOOKS = ("move", "direction", "record", "measure", "kept")


def _population(bias: Bias) -> Population:
    return Population(
        windows=6, warmup=2, per_group=200, attributes=2 if bias.two_attributes else 1, place=1.5, total=True
    )


def _people(source: Population, strength: float) -> People:
    people, _ = source.people(np.random.SeedSequence(11))
    # the first half of the rows comes before the onset
    late = np.arange(len(people)) >= len(people) // 2
    return dataclasses.replace(people, strength=np.where(late, strength, 0.0))


def _given(source: Population, people: People) -> dict[str, tuple[Any, ...]]:
    """Return what each hook is given beside the people: never what another hook of the bias changed."""
    margin = people.merit @ source.weights + source.sigma * people.noise - source.bar
    return {
        "move": (),
        "direction": (source.weights,),
        "record": (margin,),
        "measure": (people.merit,),
        "kept": (),
    }


def _changes(bias: Bias, source: Population, people: People) -> dict[str, np.ndarray]:
    """Return what each hook changes, float64 (n, k)."""
    given, plain = _given(source, people), Bias()
    found = {}
    for name in HOOKS:
        changed, usual = (getattr(b, name)(people, *given[name]) for b in (bias, plain))
        if name == "direction":
            changed = np.broadcast_to(changed, (len(people), source.d))
            usual = np.broadcast_to(usual, changed.shape)
            lengths = np.sqrt((changed * changed).sum(axis=1))
            require(bool(np.allclose(lengths, 1.0)), "direction() gives weights that are not of length 1")
        else:
            shape = np.shape(usual)
            require(np.shape(changed) == shape, f"{name}() has shape {np.shape(changed)}, not {shape}")
            require(
                np.asarray(changed).dtype == usual.dtype,
                f"{name}() is {np.asarray(changed).dtype}, not {usual.dtype}",
            )
        if name == "record":
            require(bool(np.isin(changed, (0, 1)).all()), "record() gives labels other than 0 and 1")
        gap = np.asarray(changed, dtype=np.float64) - np.asarray(usual, dtype=np.float64)
        # what is missing is changed by one
        gap = np.where(np.isnan(gap), 1.0, gap)
        found[name] = gap.reshape(len(people), -1)
    return found


def _twin(made: Bias) -> None:
    """Check that the bias that is named as a twin gives the same features and other labels."""
    if not made.twin:
        return
    other: Bias = make("bias", {made.twin: params_of(made)})
    drawn = [
        dataclasses.replace(
            _population(made), bias={b.name: params_of(b)}, strength=1.0, timing={"step": {"at": 3}}
        )
        for b in (made, other)
    ]
    one, two = (source.generate(np.random.SeedSequence(11)) for source in drawn)
    require(bool(np.array_equal(one.X, two.X)), f"its features are not those of {other.full_name}, its twin")
    require(not np.array_equal(one.y, two.y), f"its labels are those of {other.full_name}, its twin, too")


def _bias(cls: type[Any]) -> None:
    """Check that a bias changes nothing at strength 0, whom it hits, and nothing that it does not name."""
    made: Bias = make("bias", cls.name)
    require(isinstance(made.norm, Norm), f"norm is {made.norm!r}", remedy="a Norm")
    _twin(made)
    source = _population(made)
    none = _people(source, 0.0)
    for name, gap in _changes(made, source, none).items():
        require(not gap.any(), f"{name}() changes something at strength 0")
    sizes: dict[str, list[float]] = {name: [] for name in HOOKS}
    for strength in STRENGTHS:
        people = _people(source, strength)
        held = dataclasses.asdict(people)
        held = {name: value.copy() for name, value in held.items()}
        with own_randomness():
            found, again = _changes(made, source, people), _changes(made, source, people)
        require(identical(found, again), "it does something else the second time", remedy="draw from u and v")
        require(identical(held, dataclasses.asdict(people)), "it changes the people that it is given")
        spared = (people.strength == 0.0) | ~made.hit(people)
        for name, gap in found.items():
            require(not gap[spared].any(), f"{name}() changes those whom it does not hit")
            sizes[name].append(float(np.abs(gap).sum()))
        moved = np.flatnonzero(found["measure"].any(axis=0))
        responsible = made.responsible(source.features)
        require(
            all(0 <= j < len(source.features) for j in responsible),
            f"responsible() names the places {responsible} of {len(source.features)} features",
        )
        require(
            set(moved.tolist()) <= set(responsible),
            f"measure() changes the features {moved.tolist()}, responsible() names {responsible}",
        )
    for name, size in sizes.items():
        require(
            all(b >= a for a, b in itertools.pairwise(size)),
            f"what {name}() changes does not grow with the strength: {size}",
        )
    some = made.fools or any(size[-1] > 0.0 for size in sizes.values())
    require(some, "it changes nothing at strength 1")


CHECKS = [
    Check(name="bias", text="strength 0 changes nothing, others change whom and what they name", run=_bias)
]
