"""Shapley values of linear scores with the other features drawn from the background: a closed form.

All functions take many versions, windows and rows at once; nothing is drawn and no background row is left
out.
"""

from __future__ import annotations

import numpy as np

from mlopsim.explain.arguments import check_label, check_shapes
from mlopsim.learners.models import LinearModel, Link


def class_score(
    coef: np.ndarray, intercept: np.ndarray, link: Link, label: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the linear score of one class, of one model or of many.

    Of two classes: the model's one score, with its sign turned for class 0 (the log odds where ``link`` is
    softmax). Of more: with softmax the class's score minus the mean score of the other classes that training
    saw, which does not depend on what is added to all scores; with margins the score as it is.

    Parameters
    ----------
    coef : ndarray of float64, shape (..., K, d)
        As in :class:`mlopsim.learners.models.LinearModel` (no versions) or ``LinearModels`` (V, K, d).
    intercept : ndarray of float64, shape (..., K)
    link : Link
    label : int
        The class.

    Returns
    -------
    coef : ndarray of float64, shape (..., d)
        Zero where the intercept is infinite.
    intercept : ndarray of float64, shape (...,)
        Minus infinity where training saw no row of the class, plus infinity where it saw no other (two
        classes, or softmax).

    Examples
    --------
    >>> coef, intercept = np.array([[1.0], [4.0], [0.0]]), np.array([0.0, 1.0, -np.inf])
    >>> class_score(coef, intercept, Link.SOFTMAX, 1)
    (array([3.]), array(1.))
    >>> class_score(coef, intercept, Link.SOFTMAX, 2)
    (array([0.]), array(-inf))
    """
    if coef.shape[-2] == 1:
        sign = 1.0 if label == 1 else -1.0
        weight, offset = sign * coef[..., 0, :], np.asarray(sign * intercept[..., 0])
    else:
        weight, offset = coef[..., label, :], np.asarray(intercept[..., label])
        if link is Link.SOFTMAX:
            other = np.isfinite(intercept)
            other[..., label] = False
            count = other.sum(axis=-1)
            share = np.maximum(count, 1)
            known = np.where(other, intercept, 0.0)
            weight = weight - np.where(other[..., None], coef, 0.0).sum(axis=-2) / share[..., None]
            offset = np.where(count > 0, offset - known.sum(axis=-1) / share, np.inf)
            offset = np.where(np.isneginf(intercept[..., label]), -np.inf, offset)
    weight = np.where(np.isfinite(offset)[..., None], weight, 0.0)
    return weight, offset


def score_of(model: LinearModel, label: int) -> tuple[np.ndarray, float]:
    """Return the coefficients (d,) and the intercept of one model's linear score of a class.

    Raises
    ------
    ConfigError
        If the model has no such class.
    """
    check_label(label, model.n_classes)
    coef, intercept = class_score(model.coef, model.intercept, model.link, label)
    return coef, float(intercept)


def interventional(coef: np.ndarray, X: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return ``coef_j (x_j - mean_j)``: the exact interventional Shapley values of a linear score.

    For a linear function the mean over the background is all that matters of it, so a background of any size
    costs one mean. The attributions of a mean row are the mean attributions.

    Parameters
    ----------
    coef : ndarray of float64, shape (..., d)
        Of one version, or of many (V, d), or of versions and windows (V, T, d).
    X : ndarray of float64, shape (n, d) or (..., n, d)
        Rows, such as those of deployments and windows (D, T, n, d).
    mean : ndarray of float64, shape (d,) or (..., d)
        Mean of the background rows.

    Returns
    -------
    ndarray of float64, shape (..., n, d)
        The leading axes are broadcast.

    Raises
    ------
    DataError
        If shapes disagree.

    References
    ----------
    Lundberg and Lee (2017), *A unified approach to interpreting model predictions*, NeurIPS, corollary 1;
    Strumbelj and Kononenko (2014), Knowledge and Information Systems 41, 647-665.

    Examples
    --------
    >>> W = np.array([[1.0, 0.0], [1.0, -2.0]])
    >>> interventional(W, np.array([[3.0, 1.0]]), np.array([1.0, 0.0]))
    array([[[ 2.,  0.]],
           [[ 2., -2.]]])
    """
    check_shapes(coef, X, mean)
    result: np.ndarray = coef[..., None, :] * (X - mean[..., None, :])
    return result
