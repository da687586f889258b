"""Kolmogorov-Smirnov windowing."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlopsim.numerics.splitmix import below, halves, load

#: scalars before the window in the state
HEAD = 4


@njit(cache=True)
def draw(word: np.uint64, places: np.ndarray, swaps: np.ndarray) -> np.uint64:
    """Draw ``len(swaps)`` of the ``places`` without replacement to their front; return the next word."""
    for i in range(len(swaps)):
        word, offset = below(word, len(places) - i)
        swaps[i] = i + offset
        places[i], places[swaps[i]] = places[swaps[i]], places[i]
    return word


@njit(cache=True)
def undo(places: np.ndarray, swaps: np.ndarray) -> None:
    """Put the places back, so that the next draw does not depend on how a signal is cut into calls."""
    for i in range(len(swaps) - 1, -1, -1):
        places[i], places[swaps[i]] = places[swaps[i]], places[i]


@njit(cache=True)
def distance(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> float:
    """Return the two-sample KS distance of sorted samples of one size; ``share[i]`` is i / size."""
    size = len(a)
    i, j, largest = 0, 0, 0.0
    while i < size and j < size:
        value = min(a[i], b[j])
        while i < size and a[i] == value:
            i += 1
        while j < size and b[j] == value:
            j += 1
        largest = max(largest, abs(share[i] - share[j]))
    return largest


@njit(cache=True)
def replace(recent: np.ndarray, old: float, new: float) -> None:
    """Take one value out of a sorted sample and put another in."""
    i = np.searchsorted(recent, old)
    while i + 1 < len(recent) and recent[i + 1] < new:
        recent[i] = recent[i + 1]
        i += 1
    while i > 0 and recent[i - 1] > new:
        recent[i] = recent[i - 1]
        i -= 1
    recent[i] = new


@njit(cache=True)
def run(
    x: np.ndarray,
    state: np.ndarray,
    fresh: np.ndarray,
    params: np.ndarray,
    limit: float,
    score: np.ndarray,
    alarm: np.ndarray,
) -> None:
    """Read ticks.

    ``state``: rows in the window, place of the next one, the random word (two halves), then the window as a
    ring; an alarm empties the window and leaves the random word. ``params``: window, recent, then the score
    of every distance 0, 1/recent, ..., 1.
    """
    size, recent = int(params[0]), int(params[1])
    table = params[2:]
    filled, place = int(state[0]), int(state[1])
    word = load(state[2], state[3])
    ring = state[HEAD:]
    share = np.arange(recent + 1) / recent
    places, swaps = np.arange(size - recent), np.empty(recent, np.int64)
    newest, sample = np.empty(recent), np.empty(recent)
    ready = False
    for i in range(len(x)):
        # the row that leaves the newest part; before the window is full its place holds nothing yet
        leaving = ring[(place - recent) % size]
        ring[place] = x[i]
        place += 1
        if place == size:
            place = 0
        if filled < size:
            filled += 1
        if filled < size:
            score[i] = np.nan
            continue
        if ready:
            replace(newest, leaving, x[i])
        else:
            for j in range(recent):
                newest[j] = ring[(place - recent + j) % size]
            newest.sort()
            ready = True
        word = draw(word, places, swaps)
        for j in range(recent):
            sample[j] = ring[(place + places[j]) % size]
        undo(places, swaps)
        sample.sort()
        d = distance(sample, newest, share)
        # river demands a distance above 0.1, too
        now = table[round(d * recent)] if d > 0.1 else 0.0
        score[i] = now
        if now > limit:
            alarm[i] = True
            filled, ready = 0, False
    state[0], state[1] = filled, place
    state[2], state[3] = halves(word)
