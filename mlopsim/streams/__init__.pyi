from .biases.base import Bias, People
from .biases.cancelling_proxies import CancellingProxies
from .biases.fooled import Fooled
from .biases.historical import Historical
from .biases.inherited import Inherited
from .biases.intersectional import Intersectional
from .biases.label_bias import LabelBias
from .biases.missingness import Missingness
from .biases.proxy import Proxy
from .biases.subgroup_drift import SubgroupDrift
from .biases.under_representation import UnderRepresentation
from .biases.unequal_base_rate import UnequalBaseRate
from .changes.base import Change, Changed
from .changes.filtered_region import FilteredRegion
from .changes.permuted_features import PermutedFeatures
from .changes.prior import PriorChange
from .changes.swapped_labels import SwappedLabels
from .concepts.agrawal import Agrawal
from .concepts.base import Concept, Law
from .concepts.factor_gaussian import FactorGaussian
from .concepts.hyperplane import Hyperplane
from .concepts.led import Led
from .concepts.linear_gaussian import LinearGaussian
from .concepts.mixed import Mixed
from .concepts.rbf import Rbf
from .concepts.sea import Sea
from .concepts.sine import Sine
from .concepts.stagger import Stagger
from .durations.base import Duration
from .durations.fixed import Fixed
from .durations.geometric import Geometric
from .durations.weibull import Weibull
from .files.readers import read_frame
from .files.tables import Table, table_of
from .injectors.affine import Affine
from .injectors.base import Aim, ColumnInjector, Corrupted, Injector
from .injectors.duplicate_rows import DuplicateRows
from .injectors.irrelevant_feature import IrrelevantFeature
from .injectors.label_noise import LabelNoise
from .injectors.late_rows import LateRows
from .injectors.merged_categories import MergedCategories
from .injectors.missing import Missing
from .injectors.outlier_cluster import OutlierCluster
from .injectors.outlier_dependency import OutlierDependency
from .injectors.outlier_global import OutlierGlobal
from .injectors.outlier_local import OutlierLocal
from .injectors.replayed_batch import ReplayedBatch
from .injectors.schema_change import SchemaChanged
from .injectors.stuck_sensor import StuckSensor
from .injectors.swapped_columns import SwappedColumns
from .injectors.targeted_flip import TargetedFlip
from .injectors.typo import Typo
from .injectors.unit_scale import UnitScale
from .injectors.unseen_category import UnseenCategory
from .layout import Layout
from .mechanisms.base import Mechanism
from .mechanisms.group import Group
from .mechanisms.label import Label
from .mechanisms.other_column import OtherColumn
from .mechanisms.own_value import OwnValue
from .mechanisms.random import Random
from .schedules.abrupt import Abrupt
from .schedules.base import Plan, Schedule
from .schedules.gradual import Gradual
from .schedules.incremental import Incremental
from .schedules.none import NoChange
from .schedules.recurring import Recurring
from .shifts.base import Mover, Shift
from .shifts.covariate import Covariate
from .shifts.prior import Prior
from .shifts.subgroup import Subgroup
from .sources.base import ColumnStream, TableStream
from .sources.bundled import BundledStream
from .sources.corrupted import CorruptedStream
from .sources.file import FileStream
from .sources.injected import Injected
from .sources.nycflights import NycFlights
from .sources.openml import OpenMlStream
from .sources.population import Population
from .sources.procedural import Procedural
from .sources.river import RiverStream
from .sources.synthetic import Synthetic
from .stream import BiasTruth, DriftEvent, DriftKind, Norm, Received, Stream
from .timings.base import Timing
from .timings.burst import Burst
from .timings.ramp import Ramp
from .timings.recurring import RecurringTiming
from .timings.step import Step
from .validation import Finding, check_stream

__all__ = [
    "Abrupt",
    "Affine",
    "Agrawal",
    "Aim",
    "Bias",
    "BiasTruth",
    "BundledStream",
    "Burst",
    "CancellingProxies",
    "Change",
    "Changed",
    "ColumnInjector",
    "ColumnStream",
    "Concept",
    "Corrupted",
    "CorruptedStream",
    "Covariate",
    "DriftEvent",
    "DriftKind",
    "DuplicateRows",
    "Duration",
    "FactorGaussian",
    "FileStream",
    "FilteredRegion",
    "Finding",
    "Fixed",
    "Fooled",
    "Geometric",
    "Gradual",
    "Group",
    "Historical",
    "Hyperplane",
    "Incremental",
    "Inherited",
    "Injected",
    "Injector",
    "Intersectional",
    "IrrelevantFeature",
    "Label",
    "LabelBias",
    "LabelNoise",
    "LateRows",
    "Law",
    "Layout",
    "Led",
    "LinearGaussian",
    "Mechanism",
    "MergedCategories",
    "Missing",
    "Missingness",
    "Mixed",
    "Mover",
    "NoChange",
    "Norm",
    "NycFlights",
    "OpenMlStream",
    "OtherColumn",
    "OutlierCluster",
    "OutlierDependency",
    "OutlierGlobal",
    "OutlierLocal",
    "OwnValue",
    "People",
    "PermutedFeatures",
    "Plan",
    "Population",
    "Prior",
    "PriorChange",
    "Procedural",
    "Proxy",
    "Ramp",
    "Random",
    "Rbf",
    "Received",
    "Recurring",
    "RecurringTiming",
    "ReplayedBatch",
    "RiverStream",
    "Schedule",
    "SchemaChanged",
    "Sea",
    "Shift",
    "Sine",
    "Stagger",
    "Step",
    "Stream",
    "StuckSensor",
    "Subgroup",
    "SubgroupDrift",
    "SwappedColumns",
    "SwappedLabels",
    "Synthetic",
    "Table",
    "TableStream",
    "TargetedFlip",
    "Timing",
    "Typo",
    "UnderRepresentation",
    "UnequalBaseRate",
    "UnitScale",
    "UnseenCategory",
    "Weibull",
    "check_stream",
    "read_frame",
    "table_of",
]
