"""Shapley values of linear scores with the other features drawn from a normal law given the known ones.

``v(S) = E[w x | x_S]`` is linear in x, so the attributions are, too: ``phi = A (x - mean)`` with one matrix A
a version, however many rows there are. A feature that the model does not use gets a share for what it tells
about those that it uses.

References
----------
Aas, Jullum and Loland (2021), *Explaining individual predictions when features are dependent*, Artificial
Intelligence 298; Janzing, Minorics and Bloebaum (2020), AISTATS, on when not to condition.
"""

from __future__ import annotations

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.explain.arguments import check_shapes

#: most features of an exact map: its time doubles with each (12: about 1 ms, 16: about 25 ms)
MOST = 16
#: numbers held at a time
BLOCK = 1 << 22


def correlations(covariance: np.ndarray, shrinkage: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return correlations (d, d) and standard deviations (d,).

    Parameters
    ----------
    covariance : ndarray of float64, shape (d, d)
    shrinkage : float, default 0
        Correlations are multiplied by ``1 - shrinkage``, 0..1.

    Returns
    -------
    correlations : ndarray of float64, shape (d, d)
    deviation : ndarray of float64, shape (d,)
        1 for constant features, which correlate with nothing.

    Raises
    ------
    DataError
        If it is no covariance.

    Examples
    --------
    >>> correlations(np.array([[4.0, 1.0], [1.0, 1.0]]), shrinkage=0.5)
    (array([[1.  , 0.25],
           [0.25, 1.  ]]), array([2., 1.]))
    """
    variance = np.diagonal(covariance) if covariance.ndim == 2 else np.empty(0)
    if (
        covariance.shape != (len(variance), len(variance))
        or not np.isfinite(covariance).all()
        or (variance < 0.0).any()
        or not np.allclose(covariance, covariance.T, rtol=1e-9, atol=0.0)
    ):
        raise DataError(
            f"not a covariance (finite, symmetric, no negative variance): shape {covariance.shape}"
        )
    if not 0.0 <= shrinkage <= 1.0:
        raise ConfigError(f"shrinkage must be in [0, 1], got {shrinkage}")
    deviation = np.sqrt(variance)
    constant = deviation == 0.0
    deviation = np.where(constant, 1.0, deviation)
    R = covariance / deviation / deviation[:, None] * (1.0 - shrinkage)
    R[constant], R[:, constant] = 0.0, 0.0
    np.fill_diagonal(R, 1.0)
    return R, deviation


def conditional_tensor(covariance: np.ndarray, shrinkage: float = 0.0) -> np.ndarray:
    """Return the exact map from rows and coefficients to attributions, from all subsets of features.

    Parameters
    ----------
    covariance : ndarray of float64, shape (d, d)
        Of the features.
    shrinkage : float, default 0
        See :func:`correlations`; above 0 where features determine each other, such as all indicators of a
        category. It moves attributions by about its own size.

    Returns
    -------
    ndarray of float64, shape (d, d, d)
        ``phi_j = sum_ik (x_i - mean_i) D[j, i, k] w_k``; for :func:`conditional`.

    Raises
    ------
    ConfigError
        For more than 16 features.
    DataError
        If it is no covariance, or a feature is determined by others.

    Examples
    --------
    >>> D = conditional_tensor(np.array([[1.0, 0.6], [0.6, 1.0]]))
    >>> conditional(np.array([1.0, 0.0]), np.array([[0.0, 1.0]]), np.zeros(2), D)
    array([[-0.3,  0.3]])
    """
    from mlopsim.explain.kernels import gaussian

    R, deviation = correlations(covariance, shrinkage)
    d = len(R)
    if d > MOST:
        raise ConfigError(
            f"an exact map of {d} features takes 2^{d} subsets, at most {MOST} features are supported",
            remedy="sample orders of the features (conditional_sampled)",
        )
    D = np.zeros((d, d, d))
    if not gaussian.tensor(R, D):
        raise _determined()
    D *= deviation
    D /= deviation[:, None]
    return D


def conditional(coef: np.ndarray, X: np.ndarray, mean: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    """Return the exact conditional Shapley values of linear scores.

    Parameters
    ----------
    coef : ndarray of float64, shape (..., d)
        Of one version or of many.
    X : ndarray of float64, shape (n, d) or (..., n, d)
        Rows.
    mean : ndarray of float64, shape (d,) or (..., d)
        Of the features' law.
    tensor : ndarray of float64, shape (d, d, d)
        From :func:`conditional_tensor`.

    Returns
    -------
    ndarray of float64, shape (..., n, d)
        They add up to ``coef (x - mean)``. The leading axes are broadcast.

    Raises
    ------
    DataError
        If shapes disagree.
    """
    check_shapes(coef, X, mean)
    if tensor.shape != 3 * X.shape[-1:]:
        raise DataError(f"shapes disagree: tensor {tensor.shape}, X {X.shape}")
    maps = np.einsum("jik,...k->...ij", tensor, coef)
    result: np.ndarray = np.matmul(X - mean[..., None, :], maps)
    return result


def conditional_sampled(
    coef: np.ndarray,
    X: np.ndarray,
    mean: np.ndarray,
    covariance: np.ndarray,
    pairs: int,
    rng: np.random.Generator,
    shrinkage: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return conditional Shapley values of linear scores estimated from orders of the features.

    The mean over ``pairs`` random orders, each with its reverse, of what a feature adds when it becomes known
    after those before it. Unbiased; a row's attributions add up exactly, whatever is drawn. All rows and
    versions share the orders.

    Parameters
    ----------
    coef : ndarray of float64, shape (V, d)
        Of many versions.
    X : ndarray of float64, shape (n, d)
        Rows.
    mean, covariance : ndarray of float64, shapes (d,) and (d, d)
        Of the features' law.
    pairs : int
        At least 2.
    rng : Generator
        Draws the orders.
    shrinkage : float, default 0
        See :func:`conditional_tensor`.

    Returns
    -------
    values : ndarray of float64, shape (V, n, d)
    stderr : ndarray of float64, shape (V, n, d)
        Standard deviation over the pairs, over the root of their number.

    Raises
    ------
    ConfigError
        For fewer than 2 pairs.
    DataError
        If shapes disagree, it is no covariance, or a feature is determined by others.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> law = np.array([[1.0, 0.6], [0.6, 1.0]])
    >>> conditional_sampled(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.zeros(2), law, 2, rng)
    (array([[[-0.3,  0.3]]]), array([[[0., 0.]]]))
    """
    from mlopsim.explain.kernels import gaussian

    R, deviation = correlations(covariance, shrinkage)
    d = len(R)
    if pairs < 2:
        raise ConfigError(f"a standard error needs at least 2 pairs of orders, got {pairs}")
    if coef.ndim != 2 or coef.shape[1] != d or X.ndim != 2 or X.shape[1] != d or mean.shape != (d,):
        raise DataError(f"shapes disagree: coef {coef.shape}, X {X.shape}, mean {mean.shape}, {d} features")
    orders = rng.permuted(np.tile(np.arange(d), (pairs, 1)), axis=1)
    Z = (X - mean) / deviation
    values, stderr = np.empty((len(coef), *X.shape)), np.empty((len(coef), *X.shape))
    scaled = np.ascontiguousarray(coef * deviation)
    block = max(1, BLOCK // (pairs * d * d))
    for start in range(0, len(coef), block):
        some = scaled[start : start + block]
        maps = np.zeros((pairs, len(some), d, d))
        if not gaussian.walks(R, some, orders, maps):
            raise _determined()
        for v in range(len(some)):
            centre = maps[:, v].mean(axis=0)
            values[start + v] = Z @ centre.T
            for j in range(d):
                spread = Z @ (maps[:, v, j] - centre[j]).T
                stderr[start + v, :, j] = np.sqrt((spread**2).sum(axis=1) / (pairs - 1) / pairs)
    return values, stderr


def _determined() -> DataError:
    return DataError(
        "a feature is a linear function of others in this covariance: there is no law given both",
        remedy="shrinkage above 0 (such as 1e-6), or leave one of them out",
    )
