"""pytest options of this suite: which OpenMMLab packages it runs on, and a record of its outcome.

    python -m pytest --record=FILE.json

writes what passed, failed, was skipped or failed as expected, with reasons, versions, device and git commit. The `=` is needed where
the file exists: pytest, before it knows the option, takes it for tests.
"""

import re
from collections import Counter
from importlib.metadata import packages_distributions

import pytest
import torch

from repvgg_seg.reports.record import write_record

# The originals, not the maintained forks of the same import names.
UPSTREAM = 'mmengine' in packages_distributions().get('mmengine', ())


def pytest_addoption(parser):
    parser.addoption('--record', metavar='FILE.json', help='where the outcome of the tests goes')


def pytest_collection_modifyitems(items):
    for item in items if UPSTREAM else ():
        for mark in item.iter_markers('upstream_cannot'):
            item.add_marker(pytest.mark.xfail(reason=mark.args[0], strict=True))


def pytest_terminal_summary(terminalreporter, config):
    path = config.getoption('record')
    if path is None:
        return
    stats = terminalreporter.stats
    counts = {outcome: len(stats.get(outcome, [])) for outcome in ('passed', 'failed', 'error', 'skipped', 'xfailed')}
    reasons = {
        outcome: [dict(test=report.nodeid, reason=_reason(report)) for report in stats.get(outcome, [])]
        for outcome in ('failed', 'error', 'xfailed')
    }
    # Many tests are skipped for the same reason, such as that there is no GPU.
    reasons['skipped'] = Counter(_reason(report) for report in stats.get('skipped', []))
    write_record(path, device=torch.device('cpu'), **counts, reasons=reasons)


def _reason(report):
    if isinstance(report.longrepr, tuple):  # (file, line, 'Skipped: ...')
        return report.longrepr[2].removeprefix('Skipped: ')
    if getattr(report, 'wasxfail', None):
        return report.wasxfail.removeprefix('reason: ')
    errors = re.findall(r'^E\s+(\S.*)$', str(report.longrepr), re.MULTILINE)
    return errors[-1] if errors else str(report.longrepr).strip().splitlines()[-1]
