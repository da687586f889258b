from . import forms, run_length
from .calibration import Attained, Boundary, calibrate
from .chart import Chart
from .compiled import Compiled
from .detector import Detector, Run
from .detectors.ad import AndersonDarling
from .detectors.adwin import ADWIN
from .detectors.always import Always
from .detectors.bernoulli_cusum import BernoulliCUSUM
from .detectors.clairvoyant import Clairvoyant
from .detectors.cusum import CUSUM
from .detectors.cvm import CramerVonMises
from .detectors.ddm import DDM
from .detectors.domain_classifier import DomainClassifier
from .detectors.ecdd import ECDD
from .detectors.eddm import EDDM
from .detectors.ewma import EWMA
from .detectors.fhddm import FHDDM
from .detectors.glr import GLR
from .detectors.half_space_trees import HalfSpaceTrees
from .detectors.hdddm import HDDDM
from .detectors.hddm_a import HDDM_A
from .detectors.hddm_w import HDDM_W
from .detectors.isolation_forest import IsolationForest
from .detectors.js import JensenShannon
from .detectors.ks import KS
from .detectors.kswin import KSWIN
from .detectors.kuiper import Kuiper
from .detectors.mmd import MMD
from .detectors.mmd_permutation import MMDPermutation
from .detectors.never import Never
from .detectors.p_chart import PChart
from .detectors.page_hinkley import PageHinkley
from .detectors.pca import PCA
from .detectors.periodic import Periodic
from .detectors.psi import PSI
from .detectors.random import Random
from .detectors.rddm import RDDM
from .detectors.river import River
from .detectors.shewhart import Shewhart
from .detectors.shiryaev_roberts import ShiryaevRoberts
from .detectors.stepd import STEPD
from .detectors.wasserstein import Wasserstein
from .distance import Distance
from .law import Bernoulli, Normal
from .mean_times import TimeRatio, time_ratio
from .row_scored import RowScored
from .scenario import Channel, Place, Scenario, Source
from .scoring import Score, score_alarms
from .signal import Known, Side, Signal, SignalKind
from .sources.iid import Iid
from .sources.model import Model
from .two_sample import TwoSample
from .windowed import Windowed

__all__ = [
    "ADWIN",
    "CUSUM",
    "DDM",
    "ECDD",
    "EDDM",
    "EWMA",
    "FHDDM",
    "GLR",
    "HDDDM",
    "HDDM_A",
    "HDDM_W",
    "KS",
    "KSWIN",
    "MMD",
    "PCA",
    "PSI",
    "RDDM",
    "STEPD",
    "Always",
    "AndersonDarling",
    "Attained",
    "Bernoulli",
    "BernoulliCUSUM",
    "Boundary",
    "Channel",
    "Chart",
    "Clairvoyant",
    "Compiled",
    "CramerVonMises",
    "Detector",
    "Distance",
    "DomainClassifier",
    "HalfSpaceTrees",
    "Iid",
    "IsolationForest",
    "JensenShannon",
    "Known",
    "Kuiper",
    "MMDPermutation",
    "Model",
    "Never",
    "Normal",
    "PChart",
    "PageHinkley",
    "Periodic",
    "Place",
    "Random",
    "River",
    "RowScored",
    "Run",
    "Scenario",
    "Score",
    "Shewhart",
    "ShiryaevRoberts",
    "Side",
    "Signal",
    "SignalKind",
    "Source",
    "TimeRatio",
    "TwoSample",
    "Wasserstein",
    "Windowed",
    "calibrate",
    "forms",
    "run_length",
    "score_alarms",
    "time_ratio",
]
