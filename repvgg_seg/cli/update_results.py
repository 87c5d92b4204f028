"""Write the tables of README.md from results/: python tools/update_results.py [--check]"""

import argparse
import json
import re
import sys
from pathlib import Path

from ..errors import InputError, exit_on_input_error

REPO = Path(__file__).resolve().parents[2]
# Benchmarks that stand in README.md as a whole, with their headings.
SHOWN = {'benchmark_optimized_cpu': 'Speed on a CPU, one thread: training form, fused, optimized'}
SCORES = {'Segmentation': ('mIoU', 'mAcc', 'aAcc'), 'Classification': ('top1', 'top5')}
BEGIN, END = '<!-- results: begin -->', '<!-- results: end -->'


def table(header, rows):
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join('| ' + ' | '.join(map(str, line)) + ' |' for line in lines)


def score_rows(metric_names):
    """A row for each record with these metrics that tools/test.py wrote."""
    for path in sorted((REPO / 'results').rglob('*.json')):
        record = json.loads(path.read_text())
        metrics = record.get('metrics', {}) if isinstance(record, dict) else {}
        if not metrics.keys() >= set(metric_names):
            continue
        environment = record['environment']
        yield (
            f'[{path.stem}]({path.relative_to(REPO)})',
            Path(record['config']).stem,
            record['form'],
            record['images'],
            *(f'{metrics[name]:.2f}' for name in metric_names),
            environment['device'],
        )


def pieces():
    """The scores, the benchmarks in `SHOWN`, and where the others are."""
    for heading, metric_names in SCORES.items():
        rows = list(score_rows(metric_names))
        if rows:
            yield f'### {heading}'
            yield table(('record', 'config', 'form', 'images', *metric_names, 'scored on'), rows)
    benchmarks = sorted((REPO / 'results').glob('benchmark_*.md'))
    for path in benchmarks:
        if path.stem in SHOWN:
            yield re.sub(r'^# .*', f'### {SHOWN[path.stem]}', path.read_text().strip())
    others = [f'[{path.stem}]({path.relative_to(REPO)})' for path in benchmarks if path.stem not in SHOWN]
    if others:
        yield f'More of them: {", ".join(others)}.'


@exit_on_input_error
def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--check', action='store_true', help='write nothing, fail where README.md is out of date')
    args = parser.parse_args()
    readme = REPO / 'README.md'
    before = readme.read_text()
    between = re.compile(f'(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})', re.DOTALL)
    after = between.sub(lambda _: '\n' + '\n\n'.join(pieces()) + '\n\n', before)
    if after == before:
        return
    if args.check:
        raise InputError('the tables of README.md are not those of results/: run python tools/update_results.py')
    readme.write_text(after)
    print('README.md updated', file=sys.stderr)
