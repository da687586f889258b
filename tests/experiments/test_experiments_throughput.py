"""The throughput experiment at tiny sizes: what it writes, not how fast it was."""

import csv
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))
import _common  # noqa: E402
import _detector_measurements  # noqa: E402
import _explain_measurements  # noqa: E402
import _measurements  # noqa: E402
import throughput  # noqa: E402

from mlopsim.core.registry import names as registered  # noqa: E402

TINY = [
    "repeats=2", "seconds=0",
    "environments.n=3", "environments.episodes=1", "environments.adapter_episodes=1",
    "environments.repeats_adapter=1", "environments.scalar_episodes=1", "environments.scenarios=2",
    "environments.stream={procedural: {windows: 14, rows: 30, warmup: 4}}",
    "closed_loop.n=3", "closed_loop.episodes=1", "closed_loop.scenarios=2",
    "closed_loop.stream={population: {windows: 25, warmup: 4, per_group: 40, strength: 1.0}}",
    "worlds.windows=16", "worlds.rows=40", "worlds.repeats_pairs=1",
    "generators.rows=50", "generators.reference_rows=20",
    "detectors.rows=3000", "charts.rows=500",
    *(f"detectors.reference_rows.{name}=2000" for name in ("ddm", "page_hinkley", "eddm")),
    *(f"detectors.reference_rows.{name}=2000" for name in ("hddm_a", "hddm_w", "adwin")),
    "detectors.reference_rows.kswin=150",
    "two_sample.rows=30", "two_sample.features=2", "two_sample.windows=[1,3]",
    "row_gates.reference=300", "row_gates.rows=60", "row_gates.window=30", "row_gates.d=4",
    "batch_gates.reference=60", "batch_gates.windows=2", "batch_gates.window=20",
    "train_gates.rows=60", "train_gates.new=9", "train_gates.trusted=40", "release_gates.rows=80",
    "lime.rows=6", "lime.reference_rows=2", "lime.background=60", "lime.samples=50",
    "lime.checked_samples=500",
    "tree_shapley.rows=20", "tree_shapley.reference_rows=5", "tree_shapley.background=30",
    "explainers.rows=5", "explainers.background=20", "explainers.d=3",
]  # fmt: skip


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    for package in ("stable_baselines3", "pyod", "cleanlab", "shap", "lime"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("results") / "throughput"
    throughput.main([*TINY, "--results", str(folder)])
    return folder


def test_table_has_the_columns_and_every_row_says_what_was_asked(folder):
    rows = read(folder / "table.csv")
    assert list(rows[0])[:5] == ["name", "ours", "reference", "ratio", "asked"]
    assert {"unit", "met", "low", "high", "n"} <= set(rows[0])
    names = [row["name"] for row in rows]
    gates = registered("gate")
    assert (
        len(names) == len(set(names)) == 1 + 1 + 1 + 1 + 1 + 2 * 3 + 4 + 7 + 2 + 2 + len(gates) + 16 + 2 + 7
    )
    for row in rows:
        assert float(row["ours"]) > 0 and int(row["n"]) >= 1
        assert (row["asked"] == "") == (row["met"] == "")
        if row["compared"] == "ratio":
            ratio = float(row["ours"]) / float(row["reference"])
            assert float(row["ratio"]) == pytest.approx(ratio, rel=1e-4)
        else:
            assert row["reference"] == row["ratio"] == ""
        value = float(row["ratio"] or row["ours"])
        assert row["met"] in ("", "yes" if value >= float(row["asked"] or 0) else "no")
    asked = {row["name"]: float(row["asked"]) for row in rows if row["asked"]}
    assert [asked[f"{name}, against river"] for name in ("ddm", "page_hinkley", "eddm", "kswin")] == [50] * 4
    assert [asked[f"{name}, against river"] for name in ("hddm_a", "hddm_w", "adwin")] == [100, 100, 3]
    assert asked["cusum"] == asked["ewma"] == 50_000_000
    assert [ratio for name, ratio in asked.items() if name.startswith("ks, 30 rows")] == [20, 20]
    assert [asked[f"gate/{name}, against PyOD"] for name in ("ecod", "hbos", "knn")] == [1, 1, 1]
    assert {name for name in asked if name.startswith("gate/")} == {
        f"gate/{name}, against PyOD" for name in ("ecod", "hbos", "knn")
    }
    assert sorted(name.partition(",")[0] for name in names if name.startswith("gate/")) == [
        f"gate/{name}" for name in gates
    ]
    limes = [name for name in names if name.startswith("lime,")]
    assert {name for name in limes if name in asked} == {name for name in limes if "of its own" not in name}
    assert [asked[name] for name in limes if name in asked] == [20] * 8
    assert [ratio for name, ratio in asked.items() if name.startswith("tree_shapley,")] == [1, 1]
    explainers = [name.partition(",")[0] for name in names if name.startswith("explainer/")]
    assert sorted(explainers) == [f"explainer/{name}" for name in registered("explainer")]
    others = [
        value for name, value in asked.items() if name.startswith(("vector", "scalar", "World", "rows"))
    ]
    assert sorted(others) == [10, 10, 10, 15, 15, 15, 15, 30, 20_000, 1_000_000]


def test_figure_and_config_are_written_and_the_config_can_be_used_again(folder):
    assert (folder / "figure.png").stat().st_size > 1000
    assert (folder / "figure.svg").read_text().lstrip().startswith("<?xml")
    written = yaml.safe_load((folder / "config.yaml").read_text())
    assert written["machine"]["versions"]["numpy"]
    again = _common.start("throughput", None, ["--conf", str(folder / "config.yaml")])
    assert again.settings == {
        key: value for key, value in written.items() if key not in ("machine", "made_with")
    }
    assert again.settings["worlds"]["rows"] == 40


def test_every_measurement_has_its_section_and_the_other_way_round():
    settings = _common.read_settings(ROOT / "conf" / "experiment" / "throughput.yaml")
    assert set(settings) - {"repeats", "seconds", "only"} == set(_measurements.MEASUREMENTS)


def test_the_loop_over_versions_gives_the_same_world():
    """The reference computes the same thing, in either of its two forms."""
    import numpy
    from sklearn.naive_bayes import GaussianNB

    from mlopsim import make
    from mlopsim.world.build import build_from_stream

    source = make("stream", "synthetic", windows=13, rows=30, warmup=4)
    stream = source.generate(numpy.random.SeedSequence(3))
    expected = build_from_stream(stream, "naive_bayes", {"last": {"windows": 3}}).confusion
    for pairs in (False, True):
        found = _measurements.reference_counts(stream, GaussianNB, 3, pairs=pairs)
        numpy.testing.assert_array_equal(found, expected)


def test_alarms_that_are_compared_are_there_and_different_ones_are_an_error():
    from mlopsim import make
    from mlopsim.core.errors import MlopsimError

    signal = _detector_measurements.bernoulli(20_000, 0.2)
    changed = _detector_measurements.risen(signal, 0.2)
    assert (changed[:10_000] == signal[:10_000]).all() and changed[10_000:].mean() > 0.3
    for name in ("ddm", "page_hinkley", "eddm", "hddm_a", "hddm_w", "adwin"):
        found = make("detector", name).alarms(changed)
        assert len(found)
        with pytest.raises(MlopsimError, match=f"alarms of {name} differ"):
            _detector_measurements.check_same(name, found, found[:-1].tolist())


def test_attributions_that_are_compared_must_agree():
    import numpy

    from mlopsim.core.errors import MlopsimError

    one = numpy.zeros((2, 3))
    _explain_measurements.check_close("lime", one, one + 0.1, 0.2)
    for other in (one + 0.3, one + numpy.nan):
        with pytest.raises(MlopsimError, match="the attributions of lime differ: 0 for row 0, feature 0"):
            _explain_measurements.check_close("lime", one, other, 0.2)


def test_the_loop_of_scipy_alarms_where_ks_does():
    import numpy

    from mlopsim import make

    windows = numpy.random.default_rng(1).normal(size=(30, 40, 3))
    windows[12:, :, 1] += 2.0
    windows[20:, :, 0] -= 2.0
    found = make("detector", "ks", reference=1, alpha=1e-4).alarms(windows).tolist()
    assert found == _detector_measurements.scipy_alarms(windows, 1e-4) == [12, 20]


def test_wrong_settings_are_named(tmp_path):
    from mlopsim.core.errors import ConfigError

    with pytest.raises(ConfigError, match=r"'repeat'.*repeats"):
        throughput.main(["repeat=3"])
    with pytest.raises(ConfigError, match=r"'worlds\.row'"):
        throughput.main(["worlds.row=3"])
    with pytest.raises(ConfigError, match="no override"):
        throughput.main(["fast"])
    with pytest.raises(ConfigError, match=r"no measurement 'world'.*worlds"):
        throughput.main(["only=[world]", "--results", str(tmp_path)])
    with pytest.raises(ConfigError, match="no settings at"):
        throughput.main(["--conf", str(tmp_path / "none.yaml")])
    assert list(tmp_path.iterdir()) == []


def test_help_says_the_question(capsys):
    with pytest.raises(SystemExit) as stop:
        throughput.main(["--help"])
    assert stop.value.code == 0
    assert "How fast are" in capsys.readouterr().out


def test_threads_are_those_of_the_workers():
    from mlopsim.core.threads import ONE_THREAD

    assert _common.ONE_THREAD == ONE_THREAD
