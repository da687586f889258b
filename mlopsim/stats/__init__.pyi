from .bootstrap import (
    mean_interval,
    ns_difference,
    ns_interval,
    ratio_interval,
    regret_interval,
    statistic_interval,
)
from .interval import Interval, Score
from .normalised_scores import (
    Profile,
    iqm,
    normalised_score,
    performance_profile,
    probability_of_improvement,
    regret,
    scenario_scores,
)
from .proportions import clopper_pearson, wilson
from .rank_tests import (
    RankTest,
    cliques,
    friedman,
    holm,
    nemenyi_cd,
)
from .robust_intervals import Band, improvement_interval, iqm_interval, profile_band

__all__ = [
    "Band",
    "Interval",
    "Profile",
    "RankTest",
    "Score",
    "cliques",
    "clopper_pearson",
    "friedman",
    "holm",
    "improvement_interval",
    "iqm",
    "iqm_interval",
    "mean_interval",
    "nemenyi_cd",
    "normalised_score",
    "ns_difference",
    "ns_interval",
    "performance_profile",
    "probability_of_improvement",
    "profile_band",
    "ratio_interval",
    "regret",
    "regret_interval",
    "scenario_scores",
    "statistic_interval",
    "wilson",
]
