from .batch_gate import BatchGate
from .calibration import Limit, conformal
from .case import Case
from .gate import Action, Flags, Gate, Level, Rows, Stage
from .gates.accuracy_drop import AccuracyDrop
from .gates.cleanlab import Cleanlab
from .gates.confident import Confident
from .gates.ecod import Ecod
from .gates.half_space_trees import HalfSpaceTrees
from .gates.hbos import Hbos
from .gates.iforest import IForest
from .gates.influence import Influence
from .gates.iqr import Iqr
from .gates.knn import Knn
from .gates.knn_shapley import KnnShapley
from .gates.ks_batch import KsBatch
from .gates.least_accuracy import LeastAccuracy
from .gates.leave_one_out import LeaveOneOut
from .gates.lof import Lof
from .gates.loss import Loss
from .gates.mahalanobis import Mahalanobis
from .gates.missing_rate import MissingRate
from .gates.near_duplicate import NearDuplicate
from .gates.none import NoGate
from .gates.ocsvm import OcSvm
from .gates.oracle import Oracle
from .gates.pca_residual import PcaResidual
from .gates.pyod import PyOd
from .gates.random import Random
from .gates.repeated import Repeated
from .gates.rules import Rules
from .gates.schema import Schema
from .gates.weak_slices import WeakSlices
from .gates.zscore import ZScore
from .release_gate import ReleaseGate, Slice, Verdict
from .row_gate import RowGate
from .scoring import auprc, auroc, precision_at
from .serving import Arrival, serve
from .stages import Material, act, flags, versions_right
from .train_gate import TrainGate

__all__ = [
    "AccuracyDrop",
    "Action",
    "Arrival",
    "BatchGate",
    "Case",
    "Cleanlab",
    "Confident",
    "Ecod",
    "Flags",
    "Gate",
    "HalfSpaceTrees",
    "Hbos",
    "IForest",
    "Influence",
    "Iqr",
    "Knn",
    "KnnShapley",
    "KsBatch",
    "LeastAccuracy",
    "LeaveOneOut",
    "Level",
    "Limit",
    "Lof",
    "Loss",
    "Mahalanobis",
    "Material",
    "MissingRate",
    "NearDuplicate",
    "NoGate",
    "OcSvm",
    "Oracle",
    "PcaResidual",
    "PyOd",
    "Random",
    "ReleaseGate",
    "Repeated",
    "RowGate",
    "Rows",
    "Rules",
    "Schema",
    "Slice",
    "Stage",
    "TrainGate",
    "Verdict",
    "WeakSlices",
    "ZScore",
    "act",
    "auprc",
    "auroc",
    "conformal",
    "flags",
    "precision_at",
    "serve",
    "versions_right",
]
