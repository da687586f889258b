"""Golden numbers of audits: changed numbers need a raised version."""

from __future__ import annotations

import numpy as np
import pytest
from audit_cases import BATTERIES, SINGLE, rng, uneven

from mlopsim.core.registry import find
from mlopsim.core.spec import make

#: version; statistics and scores of the first and the last window
GOLDEN: dict[str, tuple[int, list[float], list[float]]] = {
    "accuracy": (1, [-0.01497701149, 0.0264954955], [0.1626458567, 0.5180329302]),
    "calibration_gap": (2, [-0.3076923077, -0.2251655629], [2.072671888, 1.651546883]),
    "demographic_parity": (3, [-0.1329192547, -0.0350877193], [0.8099787093, 0.123758176]),
    "equal_opportunity": (3, [-0.3116883117, -0.1684210526], [1.099003351, 0.5070964848]),
    "equalised_odds": (3, [-0.0625, -0.08695652174], [0.8782965035, 0.3181508079]),
    "explanation_shift": (2, [0.7096774194, 0.2616959064], [2.406829019, 0.0001001576089]),
    "f1": (1, [0.0290930635, 0.00328661189], [0.4388270762, 0.3213376325]),
    "flip": (2, [0.1896551724, 0.2162162162], [0.1896551724, 0.2162162162]),
    "four_fifths": (2, [0.5632653061, 0.9047619048], [1.187467962, 0.3160143149]),
    "influence": (1, [0.06805378149, 0.037752149], [0.06805378149, 0.037752149]),
    "input_gap": (1, [-0.7148377391, -0.2973043877], [2.663124168, 1.278287398]),
    "input_ks": (1, [0.3838509317, 0.230994152], [1.052224618, 0.03828078813]),
    "lime_gap": (2, [-0.8384710241, -0.4763952175], [1.817749996, 1.166365438]),
    "predictive_parity": (2, [-0.1428571429, -0.1428571429], [1.035092172, 0.5714299516]),
    "score_gap": (1, [-0.6744391452, -0.2022325311], [2.512619423, 0.869517258]),
    "score_ks": (1, [0.3689440994, 0.1666666667], [1.500005098, 0.2121977771]),
    "shap_gap": (2, [-0.6052709833, -0.2459107441], [2.663124168, 1.278287398]),
    "shap_ks": (2, [0.3838509317, 0.230994152], [1.052224618, 0.03828078813]),
    "slice_accuracy": (2, [-0.2175324675, -0.2775119617], [0.03850975457, 0.7772021017]),
}
EXPLANATIONS = ["shap_gap", "shap_ks", "lime_gap", "influence", "flip", "explanation_shift"]
RIVALS = ["input_gap", "input_ks", "score_gap", "score_ks"]
TRADITIONAL = ["accuracy", "f1", "slice_accuracy", "four_fifths"]
METRICS = [
    "demographic_parity",
    "equal_opportunity",
    "equalised_odds",
    "predictive_parity",
    "calibration_gap",
]
#: version and audits
GOLDEN_ARMS: dict[str, tuple[int, list[str]]] = {
    "traditional": (1, TRADITIONAL),
    "metrics": (1, METRICS),
    "rivals": (1, RIVALS),
    "explanations": (1, EXPLANATIONS),
    "explained": (1, [*TRADITIONAL, *EXPLANATIONS]),
    "rivals_and_explanations": (1, [*RIVALS, *EXPLANATIONS]),
    "all_but_explanations": (1, [*TRADITIONAL, *METRICS, *RIVALS]),
    "all_audits": (1, [*TRADITIONAL, *METRICS, *RIVALS, *EXPLANATIONS]),
}


@pytest.mark.parametrize("name", SINGLE)
def test_golden(name: str) -> None:
    found = make("audit", name).examine(uneven(2, seed=7, shift=0.6), rng(3))
    statistic, score = found.statistic[[0, -1]], found.score[[0, -1]]
    assert name in GOLDEN, f'no golden numbers: "{name}": (1, {statistic.tolist()}, {score.tolist()})'
    version, golden_statistic, golden_score = GOLDEN[name]
    assert find("audit", name).version == str(version)
    np.testing.assert_allclose(statistic, golden_statistic, rtol=1e-8)
    np.testing.assert_allclose(score, golden_score, rtol=1e-8)


@pytest.mark.parametrize("name", BATTERIES)
def test_arms_have_the_audits_that_they_had(name: str) -> None:
    if name == "arm":
        # of the user's choice
        return
    version, audits = GOLDEN_ARMS[name]
    assert find("audit", name).version == str(version)
    assert make("audit", name).members() == audits
