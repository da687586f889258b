"""Made-up people of groups of very different sizes, as in known data."""

from __future__ import annotations

import numpy as np

from mlopsim.streams.files.tables import Table

#: people by race in a much-studied file of defendants; the last two groups are 42 people of 6,172
SIZES = (3175, 2103, 509, 343, 31, 11)
GROUPS = ("first", "second", "third", "other", "small", "smallest")


def defendants(seed: int, *, sizes: tuple[int, ...] = SIZES, lower: float = 0.8) -> Table:
    """Return people with four features, the first group with more convictions and younger than all others.

    The group itself is the last feature; labels follow the others only.
    """
    rng = np.random.default_rng([71, seed])
    group = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n, first = len(group), group == 0
    age = np.round(rng.gamma(4.0, 4.0, n) + 18.0 - 3.0 * lower * first)
    prior = np.round(rng.gamma(0.7, 4.0 + 3.0 * lower * first))
    sex, charge = (rng.random(n) < 0.8).astype(float), (rng.random(n) < 0.65).astype(float)
    logit = -0.6 + 0.16 * prior - 0.035 * (age - 30.0) + 0.2 * charge
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-logit))).astype(np.int64)
    return Table(
        X=np.stack([age, prior, sex, charge, group.astype(float)], axis=1),
        y=y,
        g=group,
        classes=("no", "yes"),
        features=("age", "prior", "sex", "charge", "race"),
        groups=GROUPS[: len(sizes)],
    )
