from .attributions import Attributions
from .conditional import conditional_sampled
from .explainer import Explainer
from .explainers.additive import Additive
from .explainers.exact import Exact
from .explainers.lime import Lime
from .explainers.linear_conditional import LinearConditional
from .explainers.linear_interventional import LinearInterventional
from .explainers.permutation import Permutation
from .explainers.tree import TreeShapley
from .linear import interventional
from .output import Output

__all__ = [
    "Additive",
    "Attributions",
    "Exact",
    "Explainer",
    "Lime",
    "LinearConditional",
    "LinearInterventional",
    "Output",
    "Permutation",
    "TreeShapley",
    "conditional_sampled",
    "interventional",
]
