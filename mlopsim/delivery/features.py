"""The published features of an observation: names, meaning, scaling.

All are finite float32 in [-1, 5]. Numbers of windows are divided by 10 and capped at 5; PSI and mean shift
are capped at 5; KS and accuracies are as they are. What is undefined is 0, and a flag (``seen``,
``in_flight``, ``slot*_filled``, ``slot*_known``, ``served_seen`` > 0) says so. t is the decision time, L the
label delay; "observed" depends on the deployment's feedback, and always means that the labels of the window
are known. ``full``: the version is in the registry, and the window came after those that it was trained on (a
backtest, also of windows in which it did not serve or was not there yet). ``deployed``: it served (a share
of) the window. ``shadow``: that, or it was shadow-evaluated in it. KS, PSI and mean shift are those of
:mod:`mlopsim.world.shift`.
"""

from __future__ import annotations

from collections.abc import Sequence

#: cap of numbers of windows (after division by 10), PSI and mean shift
CAP = 5.0
#: windows per unit
UNIT = 10.0

#: name to meaning, in the order of the columns
GLOBAL: dict[str, str] = {
    "seen": "1 if window t-L was served and some of its labelled rows are known, else 0",
    "seen_accuracy": "accuracy of what served in window t-L (canary: of the sampled rows of both versions)",
    "seen_precision": "its precision (binary: of class 1; else macro); 0 where undefined",
    "seen_recall": "its recall, likewise",
    "seen_f1": "its F1, likewise",
    "seen_accuracy_1": "the value of seen_accuracy one decision ago",
    "seen_accuracy_2": "two decisions ago",
    "seen_accuracy_3": "three decisions ago",
    "recent_accuracy": "mean accuracy of the last 3 observed windows of what serves (the base of a canary)",
    "early_accuracy": "mean accuracy of the first 3 observed windows of that version",
    "accuracy_drop": "early_accuracy - recent_accuracy",
    "served_seen": "number of observed windows of that version / 10",
    "serving_age": "t - v of that version / 10",
    "serving_ks": "KS distance of that version's training data from window t",
    "serving_psi": "population stability index, likewise",
    "serving_mean": "standardised shift of the mean, likewise",
    "serving_ks_past": "mean of its KS over those of the windows t-4..t-1 that it was not trained on",
    "newest_ks": "KS distance of the data that a retrain now would train on (version t-L) from window t",
    "newest_psi": "PSI, likewise",
    "newest_mean": "mean shift, likewise",
    "newest_ks_past": "mean of newest_ks over the previous (up to) 4 decisions",
    "in_flight": "1 if a retrained version is on its way",
    "arrives_in": "windows until its arrival / 10",
    "flight_age": "t - v of it / 10",
    "flight_ks": "KS distance of its training data from window t",
    "flight_psi": "PSI, likewise",
    "flight_mean": "mean shift, likewise",
    "cooldown_left": "windows until the next retrain can be decided / 10",
    "can_retrain": "1 if a retrain is possible now",
    "budget_left": "share of the budget that is neither spent nor reserved; 1 without a budget",
    "canary": "1 while a canary runs",
    "canary_left": "windows until it gets the whole traffic / 10",
    "since_retrain": "windows since the last retrain decision (at first: since version W-1) / 10",
    "since_switch": "windows since the traffic last changed (at first: since window W-1) / 10",
}

#: suffix to meaning, in the order of the columns of one slot; slot 0 is the newest version
SLOT: dict[str, str] = {
    "filled": "1 if the slot holds a version v",
    "serving": "1 if it serves (the base of a canary)",
    "candidate": "1 if it is the canary",
    "age": "t - v / 10",
    "ks": "KS distance of its training data from window t",
    "psi": "PSI, likewise",
    "mean": "mean shift, likewise",
    "ks_past": "mean of its KS over those of the windows t-4..t-1 that it was not trained on",
    "known": "1 if it was ever observed",
    "accuracy": "mean accuracy of its last 3 observed windows",
    "best": "highest accuracy of its observed windows",
    "since_seen": "t minus the newest window in which it was observed / 10",
    "fit": "accuracy on window v, its newest training rows, which flatters it; 0 unless feedback=full",
}

#: of deployments with mechanisms (:mod:`mlopsim.delivery.mechanisms`), behind the slots
GUARDED: dict[str, str] = {
    "suspended": "1 while the fallback serves; serving_* are then of the version that served before",
    "suspended_for": "windows that it has served / 10",
    "can_suspend": "1 if the deployment can be suspended now",
    "in_review": "1 if the version on its way is trained and waits for its approval",
    "review_age": "windows that it has waited / 10",
    "alarm": "1 if a drift alarm is on for the version that serves; 0 where alarms are not observed: where a "
    "deployment has alarms that are switched off, all features made of inputs (OF_INPUTS) are 0, too",
    "windows_left": "share of the deployment that is still to come",
    "has_audits": "1 if release gates are on",
    "has_review": "1 if versions wait for their approval",
    "has_rollback": "1 if slots other than the newest can be deployed",
    "has_suspend": "1 if there is a fallback",
    "has_trigger": "1 if alarms, and the shift of inputs, are observed",
    "has_data_gate": "1 if versions are trained behind a data gate",
}

#: suffix to meaning, for each constraint: ``cost_{name}_{suffix}``. Costs are what the deployment measures of
#: them (sampled, and late where labels are needed), never the truth that it is charged.
COST: dict[str, str] = {
    "seen": "sum of the measured costs so far, over the number of windows of the deployment",
    "last": "measured cost of the newest window of which it is known",
    "limit": "what is allowed in a window",
    "left": "limit - seen",
}

#: endings of the features that are made of labels, and of those that are made of inputs
OF_LABELS = (
    *("seen", "seen_accuracy", "seen_precision", "seen_recall", "seen_f1"),
    *("seen_accuracy_1", "seen_accuracy_2", "seen_accuracy_3", "recent_accuracy", "early_accuracy"),
    *("accuracy_drop", "served_seen", "known", "accuracy", "best", "since_seen", "fit"),
)
OF_INPUTS = ("ks", "psi", "mean", "ks_past")
#: what has them
_SHIFTED = ("serving", "newest", "flight")


def of_inputs(name: str) -> bool:
    """Say whether a feature is a statistic of the shift of inputs.

    Examples
    --------
    >>> of_inputs("serving_ks"), of_inputs("slot2_ks_past"), of_inputs("psi"), of_inputs("seen")
    (True, True, True, False)
    """
    head, _, tail = name.partition("_")
    if name in OF_INPUTS:
        return True
    return tail in OF_INPUTS and (head in _SHIFTED or head.startswith("slot"))


def feature_names(slots: int, constraints: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the names of the observation's columns for K slots.

    Parameters
    ----------
    slots : int
        Registry slots K.
    constraints : sequence of str, optional
        Names of the constraints of a deployment with mechanisms; None: one without.

    Returns
    -------
    tuple of str
        The names of :data:`GLOBAL`, then ``slot0_filled``, ... , ``slot{K-1}_fit``; with mechanisms then
        those of :data:`GUARDED`, and of :data:`COST` for each constraint.

    Examples
    --------
    >>> names = feature_names(4)
    >>> len(names), names[0], names[-1]
    (86, 'seen', 'slot3_fit')
    >>> feature_names(4, ["churn"])[-5:]
    ('has_data_gate', 'cost_churn_seen', 'cost_churn_last', 'cost_churn_limit', 'cost_churn_left')
    """
    plain = (*GLOBAL, *(f"slot{i}_{name}" for i in range(slots) for name in SLOT))
    if constraints is None:
        return plain
    return (*plain, *GUARDED, *(f"cost_{one}_{name}" for one in constraints for name in COST))
