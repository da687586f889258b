"""Retraining on the alarm of any detector."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range, convert, field_hints, make, part, split_spec
from mlopsim.delivery.search_space import Choice, given_of
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.trigger import TRIGGER_SPACE, Trigger
from mlopsim.drift.control import Control
from mlopsim.drift.detector import Detector
from mlopsim.drift.error_limits import threshold_at
from mlopsim.drift.law import Bernoulli
from mlopsim.drift.signal import Known, SignalKind

#: run lengths that tuning looks at; None: the detector's own limit
RUN_LENGTHS: tuple[float | None, ...] = (
    None, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0, 50_000.0, 100_000.0, 200_000.0,
)  # fmt: skip
#: limits of inputs that tuning looks at, between the ends that a detector names
LIMITS = 16


class Channel(Enum):
    """What a detector reads of a deployment, by the names of the drift track."""

    ERRORS = "errors"
    OUTPUTS = "outputs"
    INPUTS = "inputs"


@register("selector", "on_alarm")
@dataclass(kw_only=True)
class OnAlarm(Trigger):
    """Retrain on the alarm of a detector, any of the drift room or of a plug-in.

    *Errors* are those of what served, row by row as their labels become known; the detector reads rows of the
    version that serves now only, and begins anew when another one takes over: errors of a model that is gone
    say nothing about the one that came. *Outputs* are what the serving version puts out for the newest window
    (:func:`mlopsim.drift.signal.output_of`), without a delay, else likewise. Of *inputs* it reads each window
    as it comes, against the rows that the serving version was trained on, and begins anew with the next
    version. An alarm that comes while no retrain is possible is remembered; one within ``cooldown`` windows
    of a retrain is not.

    river's ``DriftRetrainingClassifier`` does this for one classifier, which it replaces by one trained since
    the warning; here the version that a retrain trains is the deployment's, and it arrives late.

    With the detector's score :math:`s_t` and its limit h, an alarm is :math:`s_t > h`; the retrain is decided
    at the first possible decision from ``wait`` windows after it on.

    Parameters
    ----------
    detector : spec of a detector, default adwin
        What alarms.
    channel : Channel or None
        ``errors``, ``outputs`` or ``inputs``; None: the first of them that the detector reads.
    limit : float or None
        Its limit, whatever its parameter is called; None: as the detector has it.
    arl0 : float or None
        In-control average run length, in rows of errors, to which the limit is set instead
        (:func:`mlopsim.drift.error_limits.threshold_at`).
    p0 : float, default 0.2
        Error rate in control: for ``arl0``, and for charts that know it (``told=p0``).
    wait : int
        Windows between alarm and retrain, so that more rows after the drift are trained on.
    cooldown : int
        Windows after a retrain in which alarms are ignored.

    Notes
    -----
    On errors all roll-outs advance in one compiled call a window; detectors of others and controls are looped
    over. On outputs they advance the same way, over the scores of what serves, and no canary may split the
    rows. Scores of inputs depend on no decision: they are made for many windows at once, looked up by version
    and window, and shared by roll-outs.
    Tuning searches ``wait``, ``cooldown``, the limit (of errors by ``arl0``, of inputs as it is) and those
    other parameters of the detector that its ``space`` names.

    Use it to see what a detector is worth in a deployment; not to rank detectors by their defaults: set
    ``arl0`` or have the limit tuned.

    References
    ----------
    .. [1] J. Gama, P. Medas, G. Castillo and P. Rodrigues, "Learning with drift detection", SBIA, 2004,
       286-295. doi:10.1007/978-3-540-28645-5_29
    .. [2] J. Montiel, M. Halford, S. M. Mastelini and others, "River: machine learning for streaming data in
       Python", Journal of Machine Learning Research 22(110), 2021, 1-8.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(OnAlarm(), 12, error=[0.1] * 7 + [0.8] * 5)
    'kkkkkkkkRkkk'
    >>> play(OnAlarm(detector={"ddm": {"level": 4.0}}, wait=2), 12, error=[0.1] * 7 + [0.8] * 5)
    'kkkkkkkkkRkk'
    >>> shift = lambda version, t: 2.0 if version < 5 <= t else 0.0
    >>> play(OnAlarm(detector={"ks": {"alpha": 1e-4}}), 9, shift=shift)
    'kkkkkRkkk'
    """

    #: in labels the detector stands without its name
    leading: ClassVar[str] = "detector"
    holds: ClassVar[bool] = True
    #: True: a short name for its default detector
    preset: ClassVar[bool] = False

    detector: Any = part("detector", "adwin")
    channel: Channel | None = None
    limit: float | None = None
    arl0: float | None = None
    p0: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(f"{self.full_name}.p0", self.p0, 0.0, 1.0)
        found: Detector = make("detector", self.detector)
        default = split_spec("detector", type(self).detector)[0]
        if self.preset and found.name != default:
            raise ConfigError(
                f"{self.full_name} is a short name for the detector {default}, not for {found.name}",
                remedy=f"selector/on_alarm with the detector {found.name}",
            )
        if isinstance(found, Control) and found.knows_changes:
            raise ConfigError(
                f"{self.full_name}: {found.full_name} knows the true changes, and no deployment shows these",
                remedy="choose a detector that reads errors, outputs or inputs",
            )
        self._channel = self._chosen(found)
        if self.limit is not None and self.arl0 is not None:
            raise ConfigError(f"{self.full_name}: limit and arl0 are both given", remedy="keep one of them")
        if self.arl0 is not None:
            check_range(f"{self.full_name}.arl0", self.arl0, 1.0, 1e12)
            if self._channel is not Channel.ERRORS:
                raise ConfigError(
                    f"{self.full_name}.arl0 sets limits of errors, not of {self._channel.value}",
                    remedy="give limit, or leave both out to have it tuned",
                )
            if not found.limit:
                threshold_at(found, self.arl0, self.p0)
        if self.limit is not None:
            if not found.limit:
                raise ConfigError(f"{found.full_name} has no limit to set", remedy="leave limit out")
            found = _limited(found, self.limit)
        self._detector = self._informed(found)

    def _chosen(self, found: Detector) -> Channel:
        accepted = found.accepted()
        kinds = {
            Channel.ERRORS: SignalKind.ERRORS,
            Channel.OUTPUTS: SignalKind.VALUES,
            Channel.INPUTS: SignalKind.INPUTS,
        }
        for channel, kind in kinds.items():
            if kind in accepted and self.channel in (None, channel):
                return channel
        kept = ", ".join(kind.value for kind in accepted)
        wanted = "errors, outputs or inputs" if self.channel is None else self.channel.value
        raise ConfigError(
            f"{self.full_name}: {found.full_name} reads {kept}, not {wanted}",
            remedy="choose a detector that reads what a deployment shows",
        )

    def _informed(self, found: Detector) -> Detector:
        """Return the detector with the error rate in control, if it knows that and it was not given."""
        missing = [name for name in found.known_by if getattr(found, name) is None]
        if found.known is not Known.P0 or not missing:
            return found
        if self._channel is not Channel.ERRORS:
            raise ConfigError(f"{found.full_name} is to know {', '.join(missing)}", remedy="give them")
        ready: Detector = found.informed(Bernoulli(p=self.p0))  # type: ignore[attr-defined]
        return ready

    # -- what it says of itself --------------------------------------------------------------------------

    @property
    def uses_errors(self) -> bool:  # type: ignore[override]  # a constant elsewhere
        """Whether it reads errors."""
        return self._channel is Channel.ERRORS

    @property
    def uses_inputs(self) -> bool:
        """Whether it reads rows, or what is put out for them."""
        return self._channel is not Channel.ERRORS

    @property
    def control(self) -> bool:  # type: ignore[override]
        """Whether its detector is a control, which looks at nothing."""
        return self._detector.control

    @property
    def reads(self) -> str:  # type: ignore[override]
        """What it reads: the channel; a control counts its ticks and reads nothing of them."""
        return "nothing" if self.control else self._channel.value

    @property
    def known(self) -> str:  # type: ignore[override]
        """What its detector knows that a deployment does not show."""
        return self._detector.known.text

    def searchable(self) -> dict[str, Choice]:
        """Return what tuning may search: the limit too, unless it is given or there is none."""
        space: dict[str, Choice] = dict(TRIGGER_SPACE)
        given = given_of("detector", self.detector)
        named = "limit" in given or self._detector.limit in given
        space |= {
            f"detector.{key}": choice for key, choice in self._detector.space.items() if key not in given
        }
        if not self._detector.limit or named or self.limit is not None or self.arl0 is not None:
            return space
        if self._channel is Channel.ERRORS:
            return {**space, "arl0": RUN_LENGTHS}
        if self._detector.limits is not None:
            low, high = self._detector.limits
            return {**space, "limit": (None, *(float(f"{x:.3g}") for x in np.geomspace(low, high, LIMITS)))}
        return space

    # -- the roll-out ----------------------------------------------------------------------------------------

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Keep the seeds of the detectors."""
        self._seeds = list(seeds)
        super().start(seeds)

    def begin(self) -> None:
        """Start a detector for each roll-out."""
        self.check(self.interface.deployment)
        detector = self._running = self.ready()
        if self._channel is not Channel.INPUTS:
            self._batch = detector.batch([np.random.default_rng(seed) for seed in self._seeds])
        self._first = np.full(self.n, -1, np.int64)

    def check(self, deployment: Any) -> None:
        """Refuse outputs that a canary splits, and a run length that no limit leads to.

        Raises
        ------
        ConfigError
            If it cannot be rolled out there with the parameters that it has.
        """
        if self._channel is Channel.OUTPUTS and deployment.has_canary:
            raise ConfigError(
                f"{self.full_name}: a canary splits the rows, and whose outputs are whose is not kept",
                remedy="channel=errors or channel=inputs, or a deployment without canaries",
            )
        self.ready()

    def ready(self) -> Detector:
        """Return the detector with the limit that it is rolled out with.

        Raises
        ------
        ConfigError
            If no limit leads to the run length.
        """
        if self.arl0 is None:
            return self._detector
        return self._detector.limited(threshold_at(self._detector, self.arl0, self.p0))

    def alarm(self, view: View) -> np.ndarray:
        """Hand on what is new to the detectors."""
        if self._channel is Channel.INPUTS:
            return self._compare(view)
        if self.changed.any():
            self._batch.restart(self.changed)
        if self._channel is Channel.OUTPUTS:
            assert view.inputs is not None
            use = view.t > view.versions[self.walk, view.serving]
            return np.asarray(self._batch.advance(view.inputs.outputs(), use).any(axis=1))
        ticks = np.where(view.errors < 0, np.nan, view.errors)
        return np.asarray(self._batch.advance(ticks, self.fresh).any(axis=1))

    def _compare(self, view: View) -> np.ndarray:
        assert view.inputs is not None
        self._first = np.where(self.changed | (self._first < 0), view.t, self._first)
        # a version has nothing to say about windows that it was trained on
        use = view.t > view.versions[self.walk, view.serving]
        self._first = np.where(use, self._first, view.t + 1)
        scores = view.inputs.scores(self._running, self._first, use)
        alarms = scores > self._running.threshold
        self._first = np.where(alarms, view.t + 1, self._first)
        return np.asarray(alarms)


def _limited(detector: Detector, limit: float) -> Detector:
    """Return the detector with its limit, by its own name and in its own type."""
    hint = field_hints(type(detector))[detector.limit]
    value = int(limit) if hint is int and limit == int(limit) else limit
    changed = {detector.limit: convert(value, hint, f"{detector.full_name}.{detector.limit}")}
    return dataclasses.replace(detector, **changed)  # type: ignore[type-var]
