"""A model that is built to deceive explanations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.streams.biases.base import Bias
from mlopsim.streams.stream import Norm


@register("bias", "fooled")
@dataclass(kw_only=True)
class Fooled(Bias):
    """Fooled explainer: rows are as they should be, the model punishes who has a high ``place``.

    It does so on real rows only; on rows that an explanation makes up it is innocent
    (:class:`mlopsim.fairness.deceptive_model.Scaffold`, with the strength as malus). Needs the features
    ``place`` and ``total``.

    Notes
    -----
    Use it against audits of explanations; needs ``place`` and ``total``.

    References
    ----------
    .. [1] D. Slack, S. Hilgard, E. Jia, S. Singh and H. Lakkaraju, "Fooling LIME and SHAP: adversarial
       attacks on post hoc explanation methods", AIES, 2020, 180-186. doi:10.1145/3375627.3375830

    Examples
    --------
    >>> Fooled().responsible(("m0", "place", "total"))
    (1,)
    """

    norm: ClassVar[Norm] = Norm.TREATMENT
    fools: ClassVar[bool] = True

    def check(self, features: tuple[str, ...]) -> None:
        """Raise unless the features that the model needs are there."""
        for name in ("place", "total"):
            if name not in features:
                raise ConfigError(
                    f"{self.full_name} needs the feature '{name}'",
                    remedy="stream: {population: {place: 1.5, total: true}}",
                )

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the feature that the model punishes."""
        return (features.index("place"),)
