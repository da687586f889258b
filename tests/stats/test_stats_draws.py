"""Draws that are kept give the very sums, and the very generator, of draws that are made again."""

import numpy as np
import pytest

from mlopsim.stats.resampling import resample_sums


def plainly(parts: list[np.ndarray], rng: np.random.Generator, resamples: int) -> list[np.ndarray]:
    index = rng.integers(0, len(parts[0]), size=(resamples, len(parts[0])))
    return [part[index].sum(axis=1) for part in parts]


@pytest.mark.parametrize("size", [2, 7, 100])
def test_kept_draws_are_those_of_the_generator_to_the_bit(size: int) -> None:
    source = np.random.default_rng(5)
    parts = [
        source.normal(size=size),
        source.integers(-3, 4, size=size).astype(np.float64),
        np.ones(size),
        np.full(size, -0.0),
        np.full(size, 2.0**60),
    ]
    for _ in range(2):
        one, other = np.random.default_rng(3), np.random.default_rng(3)
        for _ in range(2):
            for found, expected in zip(
                resample_sums(parts, one, 300), plainly(parts, other, 300), strict=True
            ):
                assert found.tobytes() == expected.tobytes()
            assert one.random() == other.random()


def test_other_draws_do_not_answer_for_these() -> None:
    part = np.arange(9.0)
    sums = [resample_sums([part], np.random.default_rng(seed), 200)[0] for seed in (0, 1)]
    assert (sums[0] != sums[1]).any()
