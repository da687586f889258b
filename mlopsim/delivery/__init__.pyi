from .deployments.standard import Feedback, Objective, Standard
from .env import DeliveryEnv
from .features import feature_names
from .oracle.bracket import Bracket, bracket
from .oracle.hindsight_ladder import best_period, knows_changes
from .oracle.plan import Plan
from .oracle.problem import Problem
from .pool import WorldPool
from .sb3 import make_sb3_vec_env
from .scenarios import open_scenarios, pool_of
from .search_space import Range, Weights
from .selector import Interface, Selector, View
from .selectors.a2c import A2C
from .selectors.adwin import Adwin
from .selectors.best_in_registry import BestInRegistry
from .selectors.cusum import Cusum
from .selectors.ddm import Ddm
from .selectors.dqn import DQN
from .selectors.error_or_shift import ErrorOrShift
from .selectors.error_threshold import ErrorThreshold
from .selectors.every_step import EveryStep
from .selectors.greedy import Greedy
from .selectors.ks import Ks
from .selectors.linear import Linear
from .selectors.linucb import LinUcb
from .selectors.linucb_returns import LinUcbReturns
from .selectors.maskable_ppo import MaskablePPO
from .selectors.never import Never
from .selectors.on_alarm import OnAlarm
from .selectors.page_hinkley import PageHinkley
from .selectors.periodic import Periodic
from .selectors.ppo import PPO
from .selectors.random import Random
from .selectors.similar import Similar
from .selectors.sw_ucb import SwUcb
from .selectors.thompson import Thompson
from .selectors.traditional_cd import TraditionalCd
from .selectors.uniform import Uniform
from .tuning import TuneResult, tune
from .vector import DeliveryVectorEnv
from .walk import Trajectory, replay

__all__ = [
    "A2C",
    "DQN",
    "PPO",
    "Adwin",
    "BestInRegistry",
    "Bracket",
    "Cusum",
    "Ddm",
    "DeliveryEnv",
    "DeliveryVectorEnv",
    "ErrorOrShift",
    "ErrorThreshold",
    "EveryStep",
    "Feedback",
    "Greedy",
    "Interface",
    "Ks",
    "LinUcb",
    "LinUcbReturns",
    "Linear",
    "MaskablePPO",
    "Never",
    "Objective",
    "OnAlarm",
    "PageHinkley",
    "Periodic",
    "Plan",
    "Problem",
    "Random",
    "Range",
    "Selector",
    "Similar",
    "Standard",
    "SwUcb",
    "Thompson",
    "TraditionalCd",
    "Trajectory",
    "TuneResult",
    "Uniform",
    "View",
    "Weights",
    "WorldPool",
    "best_period",
    "bracket",
    "feature_names",
    "knows_changes",
    "make_sb3_vec_env",
    "open_scenarios",
    "pool_of",
    "replay",
    "tune",
]
