"""The passes run over a model, all at once or one by one, and what comes out is compared with what the model computed."""

import logging
from collections.abc import Callable, Iterable

from mmengine.logging import print_log
from torch import nn

from ..errors import InputError
from .options import Options
from .passes import PASSES
from .passes.pass_definition import Need, Pass, Record
from .remembered_comparison import RememberedComparison
from .same_outputs import SameOutputs, in_one_line
from .undo import Snapshot

Result = tuple[nn.Module, dict[str, Record]]
Apply = Callable[[Pass, nn.Module, Options], nn.Module]
Measure = Callable[[Pass, Need, nn.Module, Options], Options]


def rewrite_at_once(
    model: nn.Module,
    steps: list[Pass],
    options: Options,
    outputs: SameOutputs,
    remembered: RememberedComparison,
    may_find_nothing: bool,
) -> Result | None:
    """The model after all passes, compared once, and their records; None where a pass fails or something else comes out.

    If the comparison is quick, it leaves out the passes that are remembered, and None is also returned where the form that
    they give the model has not been compared before.

    Raises:
        InputError: no pass that is algebra finds anything, unless `may_find_nothing`.
    """
    report: dict[str, Record] = {}

    def apply(step: Pass, model: nn.Module, options: Options) -> nn.Module:
        model, record = step.rewrite(model, options)
        if record is not None:
            report[step.name] = record
        return model

    def measure(owner: Pass, need: Need, model: nn.Module, options: Options) -> Options:
        return need.measure(model, options)

    def run(passes: list[Pass], model: nn.Module, options: Options) -> tuple[nn.Module, Options]:
        return _run(passes, steps, model, options, apply, measure)

    algebra, others, costly, not_compared = (
        [step for step in PASSES.values() if (step.is_algebra, step.is_remembered, step.is_compared) == kind]
        for kind in ((True, False, True), (False, False, True), (False, True, True), (False, False, False))
    )
    try:
        rewritten, options = run(algebra, model, options)
        found = bool(report) or may_find_nothing
        if found:
            rewritten, options = run(others, rewritten, options)
            if outputs.is_quick and outputs.difference(rewritten):
                return None
            rewritten, options = run(costly, rewritten, options)
            form = remembered.form(rewritten)
            if not outputs.is_quick:
                if outputs.difference(rewritten):
                    return None
                if outputs.can_compare:
                    remembered.note(form, outputs.largest_error)
            elif not remembered.passed(form):
                return None
            rewritten, _ = run(not_compared, rewritten, options)
    except Exception:  # a network of somebody else's can raise anything where a pass runs it
        return None
    if not found:
        raise _nothing_to_rewrite(model)
    for name, record in report.items():
        _say(name, record)
    return rewritten, report


def rewrite_one_by_one(
    model: nn.Module, steps: list[Pass], options: Options, outputs: SameOutputs, may_find_nothing: bool
) -> Result:
    """The model after the passes that leave its results as they are, compared after each pass, and their records.

    Raises:
        InputError: as `rewrite_at_once`, and no pass was left out.
    """
    report: dict[str, Record] = {}
    left_out: list[str] = []

    def leave_out(step: Pass, reason: str) -> None:
        left_out.append(step.name)
        print_log(f'optimize: {step.name}: left out: {reason}', 'current', logging.WARNING)

    def apply(step: Pass, model: nn.Module, options: Options) -> nn.Module:
        model, record, reason = _rewrite(step, model, options, outputs)
        if reason:
            leave_out(step, reason)
        elif record is not None:
            report[step.name] = record
            _say(step.name, record)
        return model

    def measure(owner: Pass, need: Need, model: nn.Module, options: Options) -> Options:
        """The options with the need of a pass; the pass does not run where that cannot be measured."""
        try:
            return need.measure(model, options)
        except Exception as error:  # a network of somebody else's can raise anything
            steps.remove(owner)
            leave_out(owner, f'the model cannot run on input_shape={options.input_shape}: {in_one_line(error)}')
            return options

    algebra = [step for step in PASSES.values() if step.is_algebra]
    rewritten, options = _run(algebra, steps, model, options, apply, measure)
    if not report and not left_out and not may_find_nothing:
        raise _nothing_to_rewrite(model)
    others = [step for step in PASSES.values() if not step.is_algebra]
    rewritten, _ = _run(others, steps, rewritten, options, apply, measure)
    return rewritten, report


def _run(
    passes: Iterable[Pass], steps: list[Pass], model: nn.Module, options: Options, apply: Apply, measure: Measure
) -> tuple[nn.Module, Options]:
    """The model after those of the passes that are among `steps`, and the options with what is measured between them.

    What one of `steps` needs after a pass is measured whether that pass runs or not.
    """
    for step in passes:
        if step in steps:
            model = apply(step, model, options)
        for owner in list(steps):
            for need in owner.needs:
                if need.after == step.name:
                    options = measure(owner, need, model, options)
    return model, options


def _rewrite(
    step: Pass, model: nn.Module, options: Options, outputs: SameOutputs
) -> tuple[nn.Module, Record | None, str]:
    """The model after a pass, and its record; or the model as it was, and why the pass cannot be used."""
    before = Snapshot(model)
    reasons = []
    for rewrite in (step.rewrite, step.narrower):
        if rewrite is None:
            continue
        try:
            rewritten, record = rewrite(model, options)
            reason = outputs.difference(rewritten) if step.is_compared else ''
        except Exception as error:  # a network of somebody else's can raise anything where a pass runs it
            reason = in_one_line(error)
        if not reason:
            return rewritten, record, ''
        reasons.append(reason)
        before.restore()
    return model, None, reasons[0]


def _nothing_to_rewrite(model: nn.Module) -> InputError:
    return InputError(
        f'nothing to rewrite in this {type(model).__name__}: no RepVGG block in training form, no BN behind a conv, '
        'no auxiliary head and no PSP head (it may be optimized already)'
    )


def _say(name: str, record: Record) -> None:
    print_log(f'optimize: {name}: {record}', logger='current')
