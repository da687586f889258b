"""The forward pass of a trained agent: no torch, the same bits for one row and for many."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np

from mlopsim.core.errors import CacheError

ACTIVATIONS = ("tanh", "relu")


@nb.njit(cache=True)
def affine(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, out: np.ndarray) -> None:
    """Write ``x @ weight + bias`` row by row; each sum runs over the inputs in their order."""
    for n in range(x.shape[0]):
        for j in range(weight.shape[1]):
            out[n, j] = bias[j]
        for i in range(weight.shape[0]):
            value = x[n, i]
            for j in range(weight.shape[1]):
                out[n, j] += value * weight[i, j]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A multi-layer perceptron on scaled observations.

    Parameters
    ----------
    names : tuple of str
        Names of the observation's columns.
    shift, scale : ndarray of float64, shape (F,)
        The input is ``clip((obs - shift) * scale, -clip, clip)``.
    weights : sequence of ndarray of float64
        Shapes (F, H1), (H1, H2), ..., (H, A).
    biases : sequence of ndarray of float64
        Shapes (H1,), ..., (A,).
    activation : str
        ``tanh`` or ``relu``, after every layer but the last.
    clip : float, default 5.0
        Limit of scaled inputs.

    Examples
    --------
    >>> net = Network(names=("a",), shift=np.zeros(1), scale=np.ones(1), weights=[np.array([[1., -1.]])],
    ...               biases=[np.zeros(2)], activation="tanh")
    >>> net.forward(np.array([[2.]], np.float32))
    array([[ 2., -2.]])
    """

    names: tuple[str, ...]
    shift: np.ndarray
    scale: np.ndarray
    weights: Sequence[np.ndarray]
    biases: Sequence[np.ndarray]
    activation: str
    clip: float = 5.0

    def __post_init__(self) -> None:
        sizes = [len(self.names), *(w.shape[1] for w in self.weights)]
        shapes = [w.shape for w in self.weights]
        wanted = list(itertools.pairwise(sizes))
        if shapes != wanted or [b.shape for b in self.biases] != [(size,) for size in sizes[1:]]:
            raise CacheError(f"the layers {shapes} do not fit to {len(self.names)} inputs")
        if self.activation not in ACTIVATIONS:
            raise CacheError(f"unknown activation '{self.activation}'")

    @property
    def outputs(self) -> int:
        """Number of outputs A."""
        return int(self.weights[-1].shape[1])

    def forward(self, obs: np.ndarray) -> np.ndarray:
        """Return the outputs.

        Parameters
        ----------
        obs : ndarray of float, shape (N, F)
            Observations as the environment gives them.

        Returns
        -------
        ndarray of float64, shape (N, A)
            Logits or action values; a row does not depend on the others, to the bit.
        """
        x: np.ndarray = np.clip((obs.astype(np.float64) - self.shift) * self.scale, -self.clip, self.clip)
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            out = np.empty((len(x), weight.shape[1]))
            affine(x, np.ascontiguousarray(weight, np.float64), bias.astype(np.float64), out)
            if number < len(self.weights) - 1:
                out = np.tanh(out) if self.activation == "tanh" else np.maximum(out, 0.0)
            x = out
        return x

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything numeric by name, float64."""
        result = {"shift": self.shift.astype(np.float64), "scale": self.scale.astype(np.float64)}
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            result[f"weight{number}"] = weight.astype(np.float64)
            result[f"bias{number}"] = bias.astype(np.float64)
        return result

    def info(self) -> dict[str, Any]:
        """Return the rest as JSON types."""
        return {
            "names": list(self.names),
            "activation": self.activation,
            "clip": self.clip,
            "layers": len(self.weights),
        }

    @classmethod
    def read(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> Network:
        """Read what :meth:`arrays` and :meth:`info` gave.

        Raises
        ------
        CacheError
            If something is missing or does not fit together.
        """
        try:
            layers = range(int(info["layers"]))
            return cls(
                names=tuple(info["names"]),
                shift=arrays["shift"],
                scale=arrays["scale"],
                weights=[arrays[f"weight{i}"] for i in layers],
                biases=[arrays[f"bias{i}"] for i in layers],
                activation=str(info["activation"]),
                clip=float(info["clip"]),
            )
        except KeyError as error:
            raise CacheError(f"the stored agent lacks {error}", remedy="train it again") from error
