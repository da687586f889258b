"""Golden numbers of the charts, the detectors of error rates and those of windows.

Learned detectors and controls have theirs in test_golden_learned.py. A detector that has none anywhere fails
here, with the entry to add.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import test_golden_learned as learned

from mlopsim.core.registry import names
from mlopsim.core.spec import make
from mlopsim.drift.signal import SignalKind

#: ticks whose scores are written down
PLACES = {
    SignalKind.ERRORS: [400, 590, 1199],
    SignalKind.VALUES: [400, 590, 1199],
    SignalKind.INPUTS: [12, 20, 24],
}


def signal(kind: SignalKind) -> np.ndarray:
    """Return 1200 ticks that rise at 600 and fall at 900, or 40 windows that widen at 24."""
    rng = np.random.Generator(np.random.PCG64(2026))
    if kind is SignalKind.INPUTS:
        windows = rng.random((40, 80, 3)) - 0.5
        windows[24:, :, 1] *= 2.0
        windows[24:, :, 2] += 0.3
        return windows
    level = np.repeat([0.0, 1.0, -0.3], [600, 300, 300])
    if kind is SignalKind.ERRORS:
        return (rng.random(1200) < 0.2 + 0.3 * level).astype(np.float64)
    # the sum of three uniform numbers, of standard deviation 1/2
    return rng.random((1200, 3)).sum(axis=1) - 1.5 + 1.5 * level


NAN = float("nan")
EARLY = {"warm_start": 30, "level": 2.0, "warning": 1.2, "longest": 200, "patience": 50, "stable": 100}
TOLD = {"told": "p0", "mean": 0.0, "sd": 0.5}

#: a detector, and a word for what differs from the defaults: parameters, version, alarms, three scores, sum
#: of the finite ones
GOLDEN: dict[str, tuple[dict[str, Any], str, list[int], list[float], float]] = {
    "shewhart": ({}, "1", [600, 900], [0.685297714234, 1.3987819916, 1.13378339523], 780.77034054),
    "shewhart-down": (
        {"side": "down"},
        "1",
        [1026],
        [-0.685297714234, 1.3987819916, -1.16234219404],
        -797.460881453,
    ),
    "shewhart-told": (
        {**TOLD, "width": 4.0},
        "1",
        [
            604,
            605,
            616,
            623,
            631,
            633,
            653,
            658,
            661,
            667,
            668,
            669,
            673,
            682,
            686,
            703,
            710,
            714,
            719,
            725,
            730,
            747,
            759,
            767,
            771,
            777,
            778,
            781,
            784,
            785,
            787,
            793,
            801,
            802,
            824,
            831,
            837,
            839,
            846,
            847,
            856,
            867,
            886,
            895,
        ],
        [0.697721372295, 1.26060631485, 0.165868372182],
        1691.12473887,
    ),
    "p_chart": ({}, "1", [649, 949], [NAN, NAN, 1.88561808316], 30.2543850237),
    "p_chart-told": (
        {"told": "p0", "mean": 0.2, "sd": 0.4, "size": 30},
        "1",
        [689, 719, 839, 869],
        [NAN, NAN, 0.912870929175],
        49.7514656401,
    ),
    "ewma": ({}, "1", [219, 506, 611, 901], [1.87879454771, NAN, 0.699670713845], 610.059796301),
    "ewma-exact": (
        {**TOLD, "exact": True, "lam": 0.2, "side": "down", "width": 4.0},
        "1",
        [912, 958, 1004, 1026, 1081, 1092, 1125, 1148],
        [0.970452665674, 1.18393486186, 2.23791707401],
        -2067.77189245,
    ),
    "cusum": ({}, "1", [260, 437, 601, 901], [1.30778532263, 0.732319954521, 0.633522164982], 784.314626135),
    "cusum-down": (
        {"side": "down", "k": 0.25},
        "1",
        [362, 480, 906],
        [NAN, 1.60295504808, 0.0],
        529.240139762,
    ),
    "cusum-told": (
        {**TOLD, "h": 25.0, "side": "up"},
        "1",
        [
            608,
            621,
            631,
            642,
            653,
            664,
            673,
            684,
            695,
            705,
            715,
            727,
            736,
            748,
            759,
            769,
            779,
            790,
            799,
            808,
            820,
            832,
            844,
            854,
            866,
            878,
            889,
        ],
        [0.197721372295, 0.0, 0.0],
        4946.88086509,
    ),
    "bernoulli_cusum": (
        {"p0": 0.2, "p1": 0.5, "h": 6.0},
        "1",
        [677, 712, 805, 833, 854, 887],
        [0.0, 0.351420996159, 1.83258146375],
        1042.25713614,
    ),
    "bernoulli_cusum-fall": (
        {"p0": 0.3, "p1": 0.1, "h": 5.0},
        "1",
        [37, 138, 235, 339, 565, 923, 979, 999, 1043, 1115, 1151],
        [2.92241856383, 1.00525771312, 2.39104040891],
        1890.11742825,
    ),
    "glr": ({}, "1", [270, 434, 601, 900], [1.9043350156, 0.819309219256, 1.15931523531], 1296.93194101),
    "glr-told": (
        {**TOLD, "window": 50, "side": "down", "h": 16.0},
        "1",
        [919, 959, 1003, 1055, 1087, 1124, 1148, 1196],
        [1.5485769611, 1.17777832573, 0.747257159455],
        2939.42290431,
    ),
    "page_hinkley": ({}, "1", [634, 921], [8.85335201973, 19.6604863756, 4.43909080387], 9200.21172719),
    "page_hinkley-down": (
        {"side": "down", "h": 20.0, "alpha": 1.0},
        "1",
        [591, 908],
        [8.7127741085, 19.4585016097, 2.54631046347],
        4236.13815389,
    ),
    "shiryaev_roberts": (
        {"h": 20.0},
        "1",
        [619, 638, 659, 677, 698, 717, 737, 759, 778, 797, 816, 839, 860, 883],
        [0.224253732977, -0.45930703708, -0.0491584631443],
        3591.20016982,
    ),
    "shiryaev_roberts-fall": (
        {"sd": 0.5, "shift": -1.0, "h": 12.0},
        "1",
        [915, 951, 969, 1003, 1032, 1069, 1087, 1109, 1130, 1153, 1196],
        [2.04679009976, 2.54519590022, 1.37922277776],
        1281.00379062,
    ),
    "ecdd": ({}, "1", [248, 643, 835], [-0.424008641573, -0.0734022279608, 0.621012763318], -56.3448098003),
    "ecdd-slow": (
        {"lam": 0.05, "scale": 1.5},
        "1",
        [680],
        [-0.216464713261, 0.0399759229849, -0.214826740059],
        -82.4698086962,
    ),
    "ddm": ({}, "1", [318, 680, 886], [1.92271507237, 2.1542615918, 1.79505067461], 2203.07336302),
    "ddm-early": (
        {"level": 2.5, "warm_start": 10},
        "1",
        [84, 105, 706, 741, 805],
        [1.80331920539, 1.84011331515, 1.20847737806],
        1813.56467342,
    ),
    "rddm": ({}, "1", [319, 644, 854], [NAN, 1.32392227922, 1.23422043317], 1003.48901492),
    "rddm-early": (
        EARLY,
        "1",
        [78, 295, 477, 599, 649, 679, 833, 1084],
        [1.0, 1.71004643514, 1.45286932462],
        1342.70504808,
    ),
    "ddm-both": (
        {"side": "both", "level": 2.0},
        "1",
        [78, 116, 167, 248, 319, 354, 432, 619, 680, 729, 799, 911, 943, 1077, 1163, 1199],
        [1.49064019569, 1.53509327137, 2.22624702145],
        1067.68546667,
    ),
    "rddm-both": (
        {**EARLY, "side": "both"},
        "1",
        [78, 295, 378, 435, 626, 679, 680, 729, 799, 911, 943, 1028, 1068, 1153],
        [NAN, 1.4482888085, 1.73600191861],
        1320.31345898,
    ),
    "ecdd-both": (
        {"side": "both"},
        "1",
        [248, 643, 835],
        [0.424008641573, 0.0734022279608, 0.621012763318],
        316.395624692,
    ),
    "eddm": ({}, "1", [190, 383, 537, 655, 754, 834], [NAN, NAN, -0.976874987646], -315.230492719),
    "eddm-late": (
        {"beta": 0.6, "warm_start": 5},
        "1",
        [214, 829],
        [-0.762484899422, -0.762690802035, -0.980693679467],
        -880.211526732,
    ),
    "eddm-both": (
        {"side": "both", "beta": 0.8},
        "1",
        [190, 674, 727, 820, 910, 1168],
        [-0.885852063215, -0.886596108799, NAN],
        -831.164376288,
    ),
    "hddm_a": ({}, "1", [705], [0.0, 0.196172225954, 1.69586239779], 858.220155753),
    "hddm_a-both": (
        {"delta": 0.05, "side": "both"},
        "1",
        [248, 676, 684, 706, 736, 834, 912],
        [0.17014135994, 0.0658437928084, 0.0],
        503.953863462,
    ),
    "hddm_w": ({}, "1", [679], [0.112595445234, 2.40583441557, 0.900148352063], 1491.58021033),
    "hddm_w-both": (
        {"delta": 0.02, "lam": 0.2, "side": "both"},
        "1",
        [582, 644, 678, 705, 735, 793, 899],
        [2.81610119405, 0.0, 1.54281416808],
        1738.31315727,
    ),
    "fhddm": ({}, "1", [705], [0.98, 0.32, 0.32], 1539.8),
    "fhddm-short": ({"delta": 0.001, "short": 20}, "1", [644, 885], [0.98, 2.5, 0.9], 1481.98),
    "fhddm-both": ({"side": "both", "delta": 0.001}, "1", [666, 885], [0.98, 1.28, 0.32], 1059.54),
    "stepd": ({}, "1", [644], [0.0, 0.0, 0.0], 348.810648474),
    "stepd-both": (
        {"alpha": 0.02, "window": 20, "side": "both"},
        "1",
        [644, 912, 1083],
        [0.572160759647, 0.519315961024, 0.0],
        567.219226623,
    ),
    "adwin": ({}, "1", [639, 927], [-1.08783197667, -0.177085828882, -1.84343710699], -1305.14426566),
    "adwin-clock": (
        {"delta": 0.2, "clock": 1, "max_buckets": 3, "min_window": 2, "grace": 20},
        "1",
        [603, 903],
        [-1.48165004242, -0.106790169434, -1.68107394254],
        -1586.54111906,
    ),
    "adwin-up": (
        {"side": "up", "delta": 0.2},
        "1",
        [607],
        [-1.08783197667, -2.50487791511, -2.54256336753],
        -2008.47275251,
    ),
    "kswin": (
        {},
        "1",
        [223, 610, 913, 1058],
        [0.0926084441019, 0.0187041784073, 0.405668217553],
        273.254633753,
    ),
    "kswin-window": (
        {"alpha": 0.0005, "window": 60, "recent": 20},
        "1",
        [611, 912],
        [0.00738601329417, 0.243108406341, 0.243108406341],
        328.356110681,
    ),
    "river": ({}, "1", [831, 1119], [0.0, 0.0, 0.0], 2.0),
    "river-correct": ({"detector": "FHDDM", "correct": True}, "1", [705], [0.0, 0.0, 0.0], 1.0),
    "ks": ({}, "1", [10, 24], [NAN, NAN, 5.52352893415], 11.5069550432),
    "ks-simes": (
        {"correction": "simes", "alpha": 0.001},
        "1",
        [24],
        [0.0444817682102, 0.0570284242814, 5.77327954021],
        14.7478215155,
    ),
    "cvm": ({}, "1", [24], [0.0, 0.0, 6.6946416373], 14.2391428607),
    "cvm-none": (
        {"correction": "none"},
        "1",
        [24],
        [0.339534336839, 0.368805968863, 7.17176289202],
        23.3245738461,
    ),
    "ad": ({}, "1", [24], [0.0, 0.0, 10.3109419788], 17.3475906402),
    "ad-simes": (
        {"correction": "simes"},
        "1",
        [24],
        [0.120056829265, 0.108375998018, 10.3109419788],
        19.0288952616,
    ),
    "kuiper": ({}, "1", [10, 24], [NAN, NAN, 14.2291623199], 20.7184471643),
    "wasserstein": ({}, "1", [24], [0.112688965242, 0.121462224851, 0.909236487527], 4.27551615574),
    "wasserstein-mean": (
        {"over": "mean"},
        "1",
        [24],
        [0.0924340396119, 0.100552836196, 0.60203155208],
        3.1326811773,
    ),
    "psi": ({}, "1", [14, 25], [0.192951436613, NAN, NAN], 2.90966947803),
    "psi-mean": (
        {"over": "mean", "bins": 5},
        "1",
        [24],
        [0.0583504483476, 0.0598159601759, 0.390261860809],
        1.57899192201,
    ),
    "js": ({}, "1", [10, 21, 32], [NAN, NAN, NAN], 0.661696552729),
    "js-high": ({"h": 0.3}, "1", [24], [0.197147380723, 0.148578887817, 0.418416630476], 3.98247624187),
    "js-mean": (
        {"over": "mean", "bins": 5},
        "1",
        [24],
        [0.100541822046, 0.106436922755, 0.232013862624],
        2.20256768791,
    ),
    "hdddm": ({}, "1", [24], [-0.711797248432, 0.475307391294, 7.49525095785], -4.43190427392),
    "hdddm-bins": (
        {"bins": 4, "reference": 5},
        "1",
        [10, 24],
        [NAN, -0.141770458204, 8.82948348131],
        0.278084407493,
    ),
    "mmd": ({}, "1", [24], [-1.03865911529, -0.774953949955, 20.1826452876], 18.2224119833),
    "mmd-rows": (
        {"rows": 60, "h": 4.5},
        "1",
        [24],
        [0.104403282028, -0.093697680915, 13.3456319612],
        18.9621376473,
    ),
    "mmd_permutation": ({}, "1", [24], [0.0409586076789, 0.130768280269, 2.30102999566], 10.8555363062),
    "mmd_permutation-few": (
        {"permutations": 49, "alpha": 0.021},
        "1",
        [24],
        [0.0362121726544, 0.154901959986, 1.69897000434],
        10.0515072517,
    ),
}


def measured(name: str, params: dict[str, Any]) -> tuple[dict[str, Any], str, list[int], list[float], float]:
    """Return what the numbers are now."""
    detector = make("detector", name, **params)
    run = detector.run(signal(detector.reads))
    scores = [float(f"{score:.12g}") for score in run.score[PLACES[detector.reads]]]
    total = float(f"{run.score[np.isfinite(run.score)].sum():.12g}")
    return params, detector.version, run.alarms.tolist(), scores, total


@pytest.mark.parametrize("case", GOLDEN)
def test_golden(case: str) -> None:
    params, version, alarms, scores, total = GOLDEN[case]
    found = measured(case.partition("-")[0], params)
    now = f"it is now {case!r}: {found!r}; if that is meant, raise the version and write it down"
    assert found[1] == version, now
    assert found[2] == alarms, now
    assert found[3] == pytest.approx(scores, rel=1e-9, abs=0.0, nan_ok=True), now
    assert found[4] == pytest.approx(total, rel=1e-9, abs=0.0), now


@pytest.mark.parametrize("name", names("detector"))
def test_every_detector_has_golden_numbers(name: str) -> None:
    known = {case.partition("-")[0] for case in (*GOLDEN, *learned.GOLDEN, *learned.CONTROLS)}
    assert name in known, f"add to GOLDEN the line {name!r}: {measured(name, {})!r},"
