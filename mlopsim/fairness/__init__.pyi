from .audit import Audit, Findings, LabelAudit, Labels, Source
from .audits.accuracy import Accuracy
from .audits.all_audits import AllAudits
from .audits.all_but_explanations import AllButExplanations
from .audits.calibration_gap import CalibrationGap
from .audits.demographic_parity import DemographicParity
from .audits.equal_opportunity import EqualOpportunity
from .audits.equalised_odds import EqualisedOdds
from .audits.explained import Explained
from .audits.explanation_shift import ExplanationShift
from .audits.explanations import Explanations
from .audits.f1 import F1
from .audits.flip import Flip
from .audits.four_fifths import FourFifths
from .audits.influence import Influence
from .audits.input_gap import InputGap
from .audits.input_ks import InputKs
from .audits.lime_gap import LimeGap
from .audits.metrics import Metrics
from .audits.own_battery import OwnBattery
from .audits.predictive_parity import PredictiveParity
from .audits.rivals import Rivals
from .audits.rivals_and_explanations import RivalsAndExplanations
from .audits.score_gap import ScoreGap
from .audits.score_ks import ScoreKs
from .audits.shap_gap import ShapGap
from .audits.shap_ks import ShapKs
from .audits.slice_accuracy import SliceAccuracy
from .audits.traditional import Traditional
from .batteries import Battery
from .calibration import Limit, exact_limit
from .copied_rows import Copies, Split, split_rows
from .dataset_audit import prepare
from .deployment import Deployment, deploy, unbiased
from .evidence import Evidence
from .explaining import Explaining
from .norm_violations import Truth, Violation
from .reweighing_weights import reweighing
from .verdicts import Says, Verdict, judge

__all__ = [
    "F1",
    "Accuracy",
    "AllAudits",
    "AllButExplanations",
    "Audit",
    "Battery",
    "CalibrationGap",
    "Copies",
    "DemographicParity",
    "Deployment",
    "EqualOpportunity",
    "EqualisedOdds",
    "Evidence",
    "Explained",
    "Explaining",
    "ExplanationShift",
    "Explanations",
    "Findings",
    "Flip",
    "FourFifths",
    "Influence",
    "InputGap",
    "InputKs",
    "LabelAudit",
    "Labels",
    "LimeGap",
    "Limit",
    "Metrics",
    "OwnBattery",
    "PredictiveParity",
    "Rivals",
    "RivalsAndExplanations",
    "Says",
    "ScoreGap",
    "ScoreKs",
    "ShapGap",
    "ShapKs",
    "SliceAccuracy",
    "Source",
    "Split",
    "Traditional",
    "Truth",
    "Verdict",
    "Violation",
    "deploy",
    "exact_limit",
    "judge",
    "prepare",
    "reweighing",
    "split_rows",
    "unbiased",
]
