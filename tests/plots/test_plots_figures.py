import re
import threading
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.numerics.ecdf import two_cdfs
from mlopsim.plots.cdf import cdf
from mlopsim.plots.cost_front import cost_front
from mlopsim.plots.critical_difference import critical_difference
from mlopsim.plots.curves import Curve, curves
from mlopsim.plots.heatmap import heatmap
from mlopsim.plots.interval_panels import interval_panels
from mlopsim.plots.labels import spread
from mlopsim.plots.leaderboard import leaderboard
from mlopsim.plots.profile import profile
from mlopsim.plots.style import DASHES, MARKERS, PALETTE, Mark, marks_for, new_figure, save, to_png, to_svg
from mlopsim.plots.timeline import Rollout, Span, Timeline, timeline
from mlopsim.plots.tradeoff import front, tradeoff

NAMES = ["never", "periodic", "error_or_input_shift", "ppo"]


def draw_leaderboard():
    value = np.array([0.0, 0.4, np.nan, 0.9])
    return leaderboard(
        NAMES, value, value - 0.1, value + 0.1, [30, 30, 0, 5], references={"never": 0.0}, note="note"
    )


def draw_timeline():
    windows = np.arange(10, 40)
    rollouts = [
        Rollout(name="a", quality=np.linspace(0.9, 0.5, 30)),
        Rollout(name="b", quality=np.full(30, 0.8), retrains=[20]),
    ]
    drifts = [Span(start=20, end=25), Span(start=30, end=30)]
    return timeline(
        Timeline(windows=windows, rollouts=rollouts, oracle=np.full(30, 0.95), drifts=drifts), title="T"
    )


FIGURES = {
    "leaderboard": draw_leaderboard,
    "profile": lambda: profile(
        [0.0, 0.5, 1.0], {"a": [1, 0.5, 0]}, bands={"a": ([1, 0.4, 0], [1, 0.6, 0])}, n=9, excluded=1
    ),
    "profile_many": lambda: profile(
        [0.0, 0.5, 1.0],
        {name: [1, 0.5, 0] for name in NAMES},
        bands={name: ([1, 0.4, 0], [1, 0.6, 0]) for name in NAMES},
        n=9,
        excluded=1,
        note="what the bands are",
    ),
    "timeline": draw_timeline,
    "tradeoff": lambda: tradeoff(
        NAMES, [0.0, 5, 2, np.nan], [0.5, 0.7, 0.8, 0.9], quality_ends=([0.4] * 4, [0.9] * 4)
    ),
    "cost_front": lambda: cost_front(
        [{"cost": c, "upper": 0.6 + 0.3 * c, "lower": 0.59 + 0.3 * c, "baseline": 0.6} for c in (0.0, 1.0)],
        NAMES,
        [0.0, 0.5, 0.2, np.nan],
        [0.5, 0.7, 0.62, 0.9],
        cost_ends=([0.0] * 4, [0.3] * 4),
        value_ends=([0.4] * 4, [0.9] * 4),
        limit=0.3,
    ),
    "cost_front_many": lambda: cost_front(
        [{"cost": c, "upper": 0.9, "lower": 0.9, "baseline": 0.6} for c in (0.0, 1.0)],
        NAMES,
        [0.0, 0.5, 0.2, 0.3],
        [0.5, 0.7, 0.62, 0.9],
        value_ends=([0.4] * 4, [0.9] * 4),
        quiet=NAMES[1:3],
    ),
    "interval_panels": lambda: interval_panels(
        NAMES,
        {name: ([0.0, 0.1, np.nan, -0.1], [-0.1] * 4, [np.nan, 0.2, 0.2, 0.2]) for name in "abcde"},
        title="T",
        note="N",
    ),
    "critical_difference": lambda: critical_difference(NAMES, [1.5, 2, 2.5, 4], [(0, 1, 2)], cd=1.2, n=20),
    "cdf": lambda: cdf(two_cdfs(np.arange(30.0), np.arange(5.0, 40.0)), title="T", note="N"),
    "curves": lambda: curves(
        {"a": Curve(x=np.arange(1.0, 9), y=np.arange(1.0, 9)), "b": Curve(x=np.arange(1.0, 9), y=np.ones(8))},
        xscale="log",
        references={"floor": 1.0},
    ),
    "heatmap": lambda: heatmap(
        NAMES,
        ["local outliers", "global"],
        [[-1.0, 2], [0, 0.5], [np.nan, 1], [-9, 9]],
        low=-1.0,
        middle=0.0,
        high=1.0,
        title="T",
        note="what a number is",
    ),
}


def texts(figure):
    """Return the texts that are really drawn: ticks outside the limits exist, but are not."""
    from matplotlib.text import Text

    figure.draw_without_rendering()
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low <= tick.get_loc() <= high or not axes.axison:
                    hidden |= {tick.label1, tick.label2}
    return [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible() and t not in hidden]


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_figures_repeat_to_the_byte_and_are_valid(name):
    first, second = to_svg(FIGURES[name]()), to_svg(FIGURES[name]())
    assert first == second
    assert ElementTree.fromstring(first).tag.endswith("svg")
    for forbidden in (rb"<dc:date>", rb"<image", rb"<script", rb"Matplotlib v"):
        assert forbidden not in first
    assert to_png(FIGURES[name]()).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_no_text_overlaps_another_or_leaves_the_picture(name):
    from matplotlib.text import Text

    figure = FIGURES[name]()
    found = texts(figure)
    edge = figure.bbox
    # the class's own extent: an annotation's would include its leader line
    boxes = [(t.get_text(), Text.get_window_extent(t)) for t in found]
    for text, box in boxes:
        assert box.x0 >= edge.x0 - 2, text
        assert box.x1 <= edge.x1 + 2, text
        assert box.y0 >= edge.y0 - 2, text
        assert box.y1 <= edge.y1 + 2, text
    for i, (text, a) in enumerate(boxes):
        for other, b in boxes[i + 1 :]:
            wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            assert not (wide > 1 and high > 1), (text, other)


def test_drawing_leaves_no_global_state_behind():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    to_svg(draw_leaderboard())
    assert dict(mpl.rcParams) == before
    import sys

    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_figures_can_be_drawn_in_a_thread():
    out = []
    worker = threading.Thread(target=lambda: out.append(to_svg(draw_timeline())))
    worker.start()
    worker.join()
    assert out == [to_svg(draw_timeline())]


def test_save_writes_both_files_or_says_why_not(tmp_path):
    png, svg = save(new_figure(2, 1), tmp_path / "sub" / "fig.v1")
    assert (png.name, svg.name) == ("fig.v1.png", "fig.v1.svg")
    assert sorted(p.name for p in png.parent.iterdir()) == ["fig.v1.png", "fig.v1.svg"]
    (tmp_path / "file").write_text("")
    with pytest.raises(MlopsimError, match="cannot write"):
        save(new_figure(2, 1), tmp_path / "file" / "x")


def test_a_method_looks_the_same_everywhere_and_no_two_alike():
    many = [f"m{i}" for i in range(70)]
    looks = marks_for([*many, "oracle"], {"oracle": Mark(colour="#000000")})
    kinds = {(m.colour, m.marker, str(m.dash)) for m in looks.values()}
    assert len(kinds) == 71
    assert looks == marks_for([*many, "oracle", "m3"], {"oracle": Mark(colour="#000000")})
    assert len(set(PALETTE)) == 10
    assert len(set(MARKERS)) == 7
    assert len(DASHES) == 4


def test_colours_differ_from_the_paper_and_from_each_other():
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    for colour in PALETTE:
        assert re.fullmatch("#[0-9a-f]{6}", colour)
        assert 1.05 / (luminance(colour) + 0.05) > 2.0


def test_leaderboard_orders_and_shows_the_undefined_last():
    figure = draw_leaderboard()
    labels = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert labels == ["ppo", "periodic", "never", "error_or_input_shift"]
    shown = [t.get_text() for t in texts(figure)]
    assert "–" in shown
    assert "5" in shown
    down = leaderboard(NAMES[:2], [2.0, 1.0], [1.0, 0.5], [3.0, 1.5], [3, 3], direction="min")
    assert [t.get_text() for t in down.axes[0].get_yticklabels()] == ["periodic", "never"]


def test_leaderboard_name_of_a_reference_at_the_right_end_keeps_clear_of_the_heads():
    # long names leave little width to the axis
    methods = ["a name that takes much of the width of the figure", "b"]
    figure = leaderboard(methods, [0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [3, 3], references={"clean data": 1.0})
    figure.draw_without_rendering()
    at = {t.get_text(): t.get_window_extent() for t in texts(figure)}
    assert not at["clean data"].overlaps(at["value"])


def test_timeline_marks_stand_where_the_actions_were():
    figure = draw_timeline()
    strip = figure.axes[3]
    marked = [line for line in strip.lines if line.get_marker() == "^"]
    assert [line.get_xdata().tolist() for line in marked] == [[20.0]]


def test_cdf_marks_the_largest_gap_and_says_n():
    shown = two_cdfs([1.0, 2.0, 3.0, 4.0], [3.0, 3.5, 5.0])
    figure = cdf(shown, names=("before", "after"))
    (bar,) = [line for line in figure.axes[0].lines if line.get_marker() == "_"]
    assert bar.get_xdata().tolist() == [2.0, 2.0]
    assert bar.get_ydata().tolist() == [0.5, 0.0]
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert "before (n = 4)" in legend
    assert "after (n = 3)" in legend
    assert any(text.startswith("KS distance 0.500 [0.000, 1.000]") for text in legend)
    assert f"95% band (±{shown.half_window:.3f})" in legend


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-320, 1e300])
def test_cdf_of_a_single_value_still_draws(value):
    assert to_png(cdf(two_cdfs([value], [value, value]))).startswith(b"\x89PNG")


def test_front_is_what_no_method_beats():
    rng = np.random.default_rng(1)
    cost, quality = rng.integers(0, 9, 40).astype(float), rng.normal(size=40)
    kept = set(front(cost, quality).tolist())
    for i in range(40):
        beaten = any(
            cost[j] <= cost[i] and quality[j] >= quality[i] and (cost[j], quality[j]) != (cost[i], quality[i])
            for j in range(40)
        )
        assert (i in kept) == (not beaten)


def test_no_leader_line_crosses_the_label_of_another_point():
    from matplotlib.text import Text

    names = [f"a_rather_long_name_{i}" for i in range(6)]
    x = [0.0100, 0.0128, 0.0133, 0.0134, 0.0150, 0.0360]
    y = [0.770, 0.782, 0.791, 0.771, 0.789, 0.796]
    ends = (np.array(y) - 0.03, np.array(y) + 0.03)
    figure = tradeoff(names, x, y, quality_ends=ends)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    # the class's own extent: an annotation's would include its leader line
    boxes = {t.get_text(): Text.get_window_extent(t) for t in texts(figure) if t.get_text() in names}
    found = [t for t in axes.texts if t.get_text() in names and t.arrow_patch is not None]
    assert found
    for label in found:
        start = axes.transData.transform(label.xy)
        end = boxes[label.get_text()].get_points().mean(axis=0)
        others = [box for name, box in boxes.items() if name != label.get_text()]
        for share in np.linspace(0, 1, 200):
            at = start + share * (end - start)
            assert not any(box.contains(*at) for box in others)


def test_spread_keeps_gaps_order_and_bounds():
    rng = np.random.default_rng(2)
    for n in (1, 2, 9, 40):
        p = rng.uniform(0, 1, n)
        out = spread(p, 0.05, 0.0, 1.0)
        gaps = np.diff(np.sort(out))
        assert (gaps >= min(0.05, 1 / max(n - 1, 1)) - 1e-9).all()
        assert out.min() >= -1e-9
        assert out.max() <= 1 + 1e-9
        np.testing.assert_array_equal(np.argsort(out, kind="stable"), np.argsort(p, kind="stable"))
    apart = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(spread(apart, 0.05, 0, 1), apart)


def test_heatmap_prints_every_number_on_a_colour_that_shows_it():
    values = np.array([[-1.0, 0.25], [np.nan, 1.0]])
    figure = heatmap(["a", "b"], ["x", "y"], values, low=-1.0, middle=0.0, high=1.0)
    (axes,) = figure.axes
    drawn = {(int(t.get_position()[1]), int(t.get_position()[0])): t for t in axes.texts}
    assert {place: t.get_text() for place, t in drawn.items()} == {
        (0, 0): "-1.00",
        (0, 1): "0.25",
        (1, 0): "–",
        (1, 1): "1.00",
    }
    (cells,) = axes.collections
    paper = cells.cmap(cells.norm(np.ma.masked_invalid(values)))[..., :3].mean(axis=-1)
    np.testing.assert_array_equal(np.ma.filled(cells.get_array(), np.nan).reshape(2, 2), values)
    assert {place for place, t in drawn.items() if t.get_color() == "white"} == {(0, 0), (1, 1)}
    assert paper[0, 0] < 0.5 and paper[1, 1] < 0.5 and paper[0, 1] > 0.6


@pytest.mark.parametrize(
    "call",
    [
        lambda: leaderboard(["a"], [1.0, 2.0], [1.0], [1.0], [1]),
        lambda: leaderboard(["a"], [1.0], [1.0], [1.0], [1], direction="up"),
        lambda: Curve(x=np.arange(3), y=np.arange(2)),
        lambda: timeline(Timeline(windows=np.arange(3), rollouts=[])),
        lambda: timeline(
            Timeline(windows=np.arange(3), rollouts=[Rollout(name="a", quality=np.arange(2.0))])
        ),
        lambda: tradeoff(["a"], [1.0, 2.0], [1.0]),
        lambda: cost_front([{"cost": 0.0, "upper": 1.0, "lower": 1.0, "baseline": 0.0}], ["a"], [], []),
        lambda: cost_front([]),
        lambda: interval_panels(["a"], {}),
        lambda: interval_panels(["a"], {"x": ([1.0], [1.0], [])}),
        lambda: cost_front([{"cost": 0.0}]),
        lambda: critical_difference(["a", "b"], [1.0, np.nan], [], n=3),
        lambda: cdf(two_cdfs([1e301], [0.0])),
        lambda: heatmap(["a"], ["b"], [[1.0, 2.0]], low=0.0, high=1.0),
        lambda: heatmap([], [], np.ones((0, 0)), low=0.0, high=1.0),
        lambda: heatmap(["a"], ["b"], [[1.0]], low=0.0, high=1.0, middle=2.0),
    ],
)
def test_wrong_shapes_are_one_clear_error(call):
    with pytest.raises(ConfigError):
        call()


def test_all_undefined_still_draws():
    nothing = [np.nan, np.nan]
    to_png(leaderboard(["a", "b"], nothing, nothing, nothing, [0, 0]))
    to_png(tradeoff(["a", "b"], nothing, nothing))
    to_png(heatmap(["a"], ["x", "y"], [nothing], low=0.0, high=1.0))
    to_png(
        curves(
            {"a": Curve(x=np.arange(2.0), y=np.array(nothing)), "b": Curve(x=np.arange(2.0), y=np.ones(2))}
        )
    )
    to_png(timeline(Timeline(windows=np.arange(2), rollouts=[Rollout(name="a", quality=np.array(nothing))])))


def test_svgs_are_written_in_few_bytes_with_the_same_look():
    from mlopsim.plots.style import _small

    svg = (
        b'<svg>\n <g id="text_1">\n  <path d="M 0.123456 -0.001234 \nL 7 8.995001" '
        b'transform="scale(0.015625)"/>  \n  <g id="kept" style="fill: #fff; stroke: #000" '
        b'transform="translate(1.006 0) rotate(-0.12345)"/>\n </g>\n</svg>\n'
    )
    small = _small(svg)
    assert small == (
        b'<svg>\n<g>\n<path d="M 0.12 0\nL 7 9" transform="scale(0.015625)"/>\n'
        b'<g id="kept" style="fill:#fff;stroke:#000" '
        b'transform="translate(1.01) rotate(-0.12345)"/>\n</g>\n</svg>\n'
    )
    assert _small(small) == small
