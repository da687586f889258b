"""Multi-layer perceptron of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.learners.models import ConstantModel, EstimatorModel


@register("learner", "mlp")
@dataclass(kw_only=True)
class Mlp:
    r"""``sklearn.neural_network.MLPClassifier`` with one hidden layer, trained by Adam.

    Its predictions are BLAS products: a row near a tie may, in principle, be labelled differently
    among other rows. Predict whole windows at once, as the World does, to have equal bits.

    Of two classes, with :math:`\mathrm{relu}(a) = \max(0, a)`,

    .. math:: P(y = 1 \mid x) = \left(1 + \exp(-v^\top \mathrm{relu}(W x + a) - b)\right)^{-1}

    trained on the mean log loss of a batch plus ``alpha`` / (2 rows of the batch) times the squared
    coefficients.

    Parameters
    ----------
    hidden : int, default 32
        Units of the hidden layer.
    epochs : int, default 60
        Passes over the training rows at most; running out of them is no error.
    alpha : float, default 1e-4
        Weight of the squared coefficients.
    learning_rate : float, default 0.01
        Step size at the start.

    Notes
    -----
    Use it for smooth nonlinear rules; it is seeded, and two seeds give two models.

    References
    ----------
    .. [1] D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating
       errors", Nature 323, 1986, 533-536. doi:10.1038/323533a0
    .. [2] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR, 2015. arXiv:1412.6980
    .. [3] F. Pedregosa and others, "Scikit-learn: machine learning in Python", Journal of Machine Learning
       Research 12, 2011, 2825-2830.

    Examples
    --------
    >>> X = np.linspace(-2, 2, 100)[:, None]; y = (np.abs(X[:, 0]) > 1).astype(int)
    >>> Mlp().fit(X, y, 2, np.random.SeedSequence(0)).predict(np.array([[-2.0], [0.0], [2.0]]))
    array([1, 0, 1])
    """

    hidden: int = 32
    epochs: int = 60
    alpha: float = 1e-4
    learning_rate: float = 0.01

    def __post_init__(self) -> None:
        check_range("mlp.hidden", self.hidden, 1, 10_000)
        check_range("mlp.epochs", self.epochs, 1, 100_000)
        check_range("mlp.alpha", self.alpha, 0.0, 1e6)
        check_range("mlp.learning_rate", self.learning_rate, 0.0, 10.0, open_low=True)

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        n_classes: int,
        seed: np.random.SeedSequence,
        weight: np.ndarray | None = None,
    ) -> EstimatorModel | ConstantModel:
        """Train on all rows given; ``seed`` draws the first weights and the order of the rows."""
        from sklearn.neural_network import MLPClassifier

        from mlopsim.learners.estimators import train

        params = {
            "hidden_layer_sizes": (self.hidden,),
            "max_iter": self.epochs,
            "alpha": self.alpha,
            "learning_rate_init": self.learning_rate,
        }
        return train(MLPClassifier, params, X, y, n_classes, seed, weight)
