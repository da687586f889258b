from .base import BatchLearner, BatchModel, Learner, Model
from .encode import Encoder
from .presets.gbm import Gbm
from .presets.lda import Lda
from .presets.logistic import Logistic
from .presets.mlp import Mlp
from .presets.naive_bayes import NaiveBayes
from .presets.ridge import Ridge
from .presets.sklearn_any import SklearnAny
from .presets.tree import Tree
from .training.all import All
from .training.last import Last
from .training.since_alarm import SinceAlarm

__all__ = [
    "All",
    "BatchLearner",
    "BatchModel",
    "Encoder",
    "Gbm",
    "Last",
    "Lda",
    "Learner",
    "Logistic",
    "Mlp",
    "Model",
    "NaiveBayes",
    "Ridge",
    "SinceAlarm",
    "SklearnAny",
    "Tree",
]
