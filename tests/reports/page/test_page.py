"""The page as a file, and in a browser where there is one."""

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from repvgg_seg.reports.page import PAGE_MARK, write_page
from repvgg_seg.reports.page.page import MOST_BYTES, render
from repvgg_seg.reports.runs.curves import Curves
from repvgg_seg.reports.runs.run import Run

NASTY = '<script>alert(1)</script>"\'&é'
VOID = {'meta', 'img', 'input', 'br', 'link'}


class Balance(HTMLParser):
    """Checks that every tag is closed in its place; collects addresses, identifiers and the text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.ids, self.texts = [], [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)) and not [
            name for name in names if name.startswith('on') or name == 'style'
        ]
        self.addresses += [value for name, value in attributes if name in ('src', 'href')]
        self.ids += [value for name, value in attributes if name == 'id']
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def write_pictures(folder, size):
    """A folder as ImageScoresHook writes it, of six images of noise."""
    noise = np.random.default_rng(0)
    listed = []
    for i in range(6):
        entry = dict(kind='worst' if i < 3 else 'best', name=f'{NASTY}{i}', mIoU=10.0 * i)
        for part, end in (('photograph', 'jpg'), ('label', 'png'), ('prediction', 'png')):
            entry[part] = f'{i}_{part}.{end}'
            Image.fromarray(noise.integers(0, 256, (*size, 3), dtype=np.uint8)).save(folder / entry[part])
        listed.append(entry)
    index = dict(classes=[NASTY, 'b'], palette=[[1, 2, 3], [200, 0, 0]], examples=listed)
    (folder / 'examples.json').write_text(json.dumps(index))
    return folder


@pytest.fixture
def pictures(tmp_path):
    return write_pictures(tmp_path, (24, 48))


def a_run(pictures, name='run', classes=2):
    """A run with everything."""
    names = [NASTY, *(f'class {i}' for i in range(1, classes))]
    record = dict(
        form='fused', metrics=dict(mIoU=61.25, aAcc=90.0), images=6, environment=dict(device='CPU', commit='abc'),
        per_class={name: dict(IoU=float('nan') if i == 1 else 50.0, Acc=1.0) for i, name in enumerate(names)},
        confusion=np.eye(classes, dtype=int).tolist(), examples='.', checkpoint=dict(name=NASTY),
    )  # fmt: skip
    points = [(float(i), 5.0 / i) for i in range(1, 300)]
    curves = Curves(dict(loss=points, lr=points), dict(mIoU=points[:20]), sessions=[('1', 1, 299)], notes=[NASTY])
    unfused = record | dict(form='training form', metrics=dict(mIoU=61.0))
    records = {'training form': (unfused, pictures), 'fused': (record, pictures)}
    comparison = dict(
        device='CPU', size='4x4', relative_error=1e-6, argmax_equal=1.0, ms_training_form=4.0, ms_fused=2.0, mib_fused=1.0,
        mib_training_form=2.0, params_training_form=20, params_fused=10,
    )  # fmt: skip
    config = dict(
        model=dict(type='EncoderDecoder', backbone=dict(type='RepVGG', arch=NASTY)), train_cfg=dict(max_iters=9000)
    )
    return Run(name, records=records, config=config, curves=curves, comparison=comparison, commands=[NASTY])


def test_a_page_is_whole_escaped_and_asks_for_nothing(pictures):
    text = render([a_run(pictures, NASTY)])
    page = Balance(text)
    assert '<script>alert' not in text and NASTY in ''.join(page.texts)
    assert all(address.startswith(('#', 'data:image/webp;base64,')) for address in page.addresses)
    assert {address[1:] for address in page.addresses if address.startswith('#')} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids)) and text.count('<img ') == text.count(' alt="') == 18
    # What the policy allows is what stands in the page.
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1])
    for tag in ('style', 'script'):
        content = re.search(rf'<{tag}>(.*?)</{tag}>', text, re.DOTALL)[1]
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy and 'url(' not in text and PAGE_MARK in text[:4096]
    for expected in ('61.25', '+0.25', '1.0e-06', '2.00', 'it goes on, or was stopped'):
        assert expected in text, expected


@pytest.mark.slow
@pytest.mark.parametrize('runs, classes, size', [(1, 2, (480, 960)), (2, 150, (24, 48)), (40, 19, (24, 48))])
def test_a_page_stays_small(runs, classes, size, tmp_path):
    pictures = write_pictures(tmp_path, size)
    written = write_page(tmp_path / 'p.html', [a_run(pictures, f'run {i}', classes) for i in range(runs)])
    text = (tmp_path / 'p.html').read_text(encoding='utf-8')
    assert written == len(text.encode()) < MOST_BYTES and '<img' in text
    Balance(text)


@pytest.mark.parametrize(
    'broken',
    [dict(confusion=[[1], [2]]), dict(confusion='x'), dict(per_class=None), dict(metrics=dict(mIoU=None)), dict(examples='none'),
     dict(environment=None, checkpoint=None, images=None), dict(per_class=dict(a=3)), dict(memory_mib=None)],
)  # fmt: skip
def test_records_of_other_versions(broken, pictures):
    run = a_run(pictures)
    run.records = {'fused': (run.records['fused'][0] | broken, pictures)}
    Balance(render([run]))


def test_a_run_of_which_nothing_is_known(pictures):
    text = render([Run('a', missing=['No log.']), a_run(pictures)])
    Balance(text)
    assert 'No log.' in text and 'Neither the command nor a config is known.' in text
    strange = dict(model=[], train_dataloader=3, optim_wrapper='x', param_scheduler=dict(type='PolyLR'), train_cfg=None)
    Balance(render([Run('a', config=strange)]))


def test_the_keys_that_differ(pictures):
    runs = [a_run(pictures, name) for name in 'ab']
    runs[1].config = runs[1].config | dict(train_cfg=dict(max_iters=5), hooks=[dict(type='X')])
    text = render(runs)
    assert 'Differences of the configs (2 keys)' in text
    assert 'train_cfg.max_iters' in text and 'hooks.0.type' in text and 'backbone.arch' not in text


# Runs beside the page: moves the first slider, and tells what it sees.
PROBE = """
addEventListener('load', () => {
  const slider = document.querySelector('input[type=range]');
  const layers = Array.from(document.querySelector('.slides').children);
  const seen = () => layers.map((layer) => getComputedStyle(layer).opacity).join(' ');
  const found = { before: seen(), label: slider.labels[0].textContent, errors: window.failed || 0 };
  slider.value = 1.5;
  slider.dispatchEvent(new Event('input'));
  found.after = seen();
  found.words = slider.getAttribute('aria-valuetext');
  found.width = innerWidth;
  found.scroll = document.documentElement.scrollWidth;
  parent.postMessage(JSON.stringify(found), '*');
});
"""


@pytest.fixture
def browser(tmp_path):
    """Load a page in headless Chromium: its DOM after the scripts, and what it logs."""
    name = next(filter(shutil.which, ('chromium', 'chromium-browser', 'google-chrome', 'chrome')), None)
    if name is None:
        pytest.skip('no Chromium on PATH')

    def load(path):
        options = [
            '--headless',
            '--no-sandbox',
            '--disable-gpu',
            '--enable-logging=stderr',
            '--virtual-time-budget=5000',
        ]
        command = [name, *options, f'--user-data-dir={tmp_path / "profile"}', '--dump-dom', path.as_uri()]
        done = subprocess.run(command, capture_output=True, timeout=120)
        return done.stdout.decode('utf-8'), re.findall(r'.*CONSOLE.*', done.stderr.decode('utf-8', 'replace'))

    return load


@pytest.mark.slow
def test_in_a_browser(browser, pictures, tmp_path):
    page = tmp_path / 'page.html'
    write_page(page, [a_run(pictures, NASTY, classes=19), a_run(pictures, 'a' * 80)])
    dom, said = browser(page)
    assert dom.count('class="slides moving"') == 12 and said == []  # the script runs under the policy
    text = re.sub(r'<meta http-equiv[^>]+>', '', page.read_text(encoding='utf-8'))
    frame = html.escape(text.replace('</body>', f'<script>{PROBE}</script></body>'))
    wrapped = tmp_path / 'wrapped.html'
    wrapped.write_text(
        '<!DOCTYPE html><meta charset="utf-8"><pre></pre><script>'
        'addEventListener("message", (e) => { document.querySelector("pre").textContent = e.data; });</script>'
        f'<iframe width="375" height="700" style="border:0" srcdoc="{frame}"></iframe>',
        encoding='utf-8',
    )
    dom, said = browser(wrapped)
    found = json.loads(html.unescape(re.search(r'<pre>(.*?)</pre>', dom, re.DOTALL)[1]))
    assert said == [] and found['before'] == '1 0 0'
    assert found['after'] == '1 1 0.5' and found['words'] == 'truth and prediction' and found['label'] == 'Show'
    assert found['width'] == 375 and found['scroll'] <= 375  # only the wide tables scroll
