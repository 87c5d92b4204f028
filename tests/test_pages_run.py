"""README.md and docs/: what their pages say is run, on a small network and synthetic scenes that stand in for the user's.

Measurements, downloads, exports and what needs several machines are not run: tests/test_pages.py reads all commands, also these.
docs/own_data.md has a test of its own, in tests/cli/test_own_data_page.py. docs/benchmarks.md holds measurements alone.
"""

import re
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers import REPO
from mmengine.config import Config
from mmseg.apis import init_model
from pages import PAGES, blocks, commands
from script_process import run_script
from tiny import tiny_classifier, tiny_config
from videos import write

pytestmark = pytest.mark.slow

NOT_RUN = re.compile(
    r'tools/(ablation|prune|benchmark|check_dataset|crash_test|fuzz|download_weights|prepare_cityscapes|make_synthetic_scenes|export)\.py|\.sh\b'
    r'|--engine|exported/|work_dirs/pruned/| 0 --frames| - *$|--tracker|--compile|--amp|ann_file='
)
# The words of the pages that stand for something of the user's.
STAND_INS = {
    'CONFIG': 'tiny.py',
    'CHECKPOINT': 'iter_4.pth',
    'X.pth': 'iter_4.pth',
    'FUSED': 'fused.pth',
    'SRC': 'classifier.pth',
    'RUN': 'work_dirs/NAME',
    'RUN_A': 'work_dirs/NAME',
    'RUN_B': 'tiny.json',
}
NEW = {'DIR': 'folder', 'FILE': 'record.json', 'OUT': 'out.pth', 'OUT.safetensors': 'out.safetensors', 'DST': 'dst.pth'}


@pytest.fixture(scope='module')
def trained(scenes, photos, tmp_path_factory):
    """A folder with a trained segmentor, its run and record, a classifier, photographs and a video."""
    folder = tmp_path_factory.mktemp('trained')
    cfg = tiny_config(scenes, 'work_dirs/NAME', log_level='INFO', train_cfg__max_iters=2, param_scheduler__0__end=2)
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.interval = 2
    cfg.tta_pipeline = Config.fromfile(REPO / 'configs' / 'pspnet_repvgg_a0_camvid.py').tta_pipeline
    cfg.dump(folder / 'tiny.py')
    classifier = tiny_classifier(photos, 'work_dirs/classifier', train_cfg__max_epochs=1, train_cfg__val_interval=1)
    classifier.dump(folder / 'tiny_classifier.py')
    run_tool('train', 'tiny.py', '--work-dir', 'work_dirs/NAME', cwd=folder)
    run_tool('train', 'tiny_classifier.py', '--work-dir', 'work_dirs/classifier', cwd=folder)
    shutil.copy(folder / 'work_dirs/NAME/iter_2.pth', folder / 'iter_4.pth')
    shutil.copy(folder / 'work_dirs/classifier/epoch_1.pth', folder / 'classifier.pth')
    run_tool('reparameterize', 'tiny.py', 'iter_4.pth', 'fused.pth', cwd=folder)
    # A report takes these scores; without them it has them computed by processes that import everything anew.
    for form, options in (('fused', ('--examples', 'scored/examples')), ('training', ('--no-fuse',))):
        run_tool('test', 'tiny.py', 'iter_4.pth', '--result', f'scored/{form}.json', *options, cwd=folder)
    shutil.move(folder / 'scored', folder / 'work_dirs/NAME')
    shutil.copy(folder / 'work_dirs/NAME/scored/fused.json', folder / 'tiny.json')
    (folder / 'photos').mkdir()
    for name in ('photo.jpg', 'image.png', 'a.jpg', 'b.jpg', 'photos/c.jpg'):
        cv2.imwrite(str(folder / name), np.full((64, 96, 3), 90, np.uint8))
    shutil.copytree(folder / 'photos', folder / 'more')
    shutil.copy(folder / 'image.png', folder / 'more')
    write(folder / 'drive.mp4', frames=2)
    return folder


@pytest.fixture
def world(trained, tmp_path):
    """A copy of the folder in which every config and every checkpoint that a page names is the small one."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    text = '\n'.join(page.read_text(encoding='utf-8') for page in PAGES)
    for name in set(re.findall(r'(?:work_dirs|pretrained)/[\w./-]+\.pth|work_dirs/NAME/CHECKPOINT', text)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        source = 'classifier.pth' if 'epoch' in name or 'pretrained' in name else 'iter_4.pth'
        shutil.copy(tmp_path / source, tmp_path / name)
    cfg = Config.fromfile(tmp_path / 'tiny.py')
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='pretrained/RepVGG-B2-train.pth')
    cfg.model.decode_head.loss_decode = dict(type='WeightedCrossEntropyLoss', class_weight=[1.0] * 19)
    cfg.dump(tmp_path / 'tiny_pretrained.py')
    for path in [*sorted((REPO / 'configs').rglob('*.py')), REPO / 'my_pspnet.py', REPO / 'my_data.py']:
        stand_in = tmp_path / path.relative_to(REPO)
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / f'tiny_{"classifier" if "imagenet" in path.parts else "pretrained"}.py', stand_in)
    return tmp_path


def run_tool(name, *words, cwd):
    status, out, err = run_script(REPO / 'tools' / f'{name}.py', *words, cwd=cwd)
    assert status == 0, f'{name} {" ".join(words)}\n{out[-1500:]}{err[-2500:]}'


def with_stand_ins(words, number):
    """The words of a command with files of the small network in the place of names, and new files in that of outputs."""
    for word in words:
        yield STAND_INS.get(word) or (f'{number}_{NEW[word]}' if word in NEW else word)


def commands_to_run():
    """The tool and words of each command, by page; of commands that differ in names alone, the first."""
    seen = set()
    for page in PAGES:
        found = []
        for block in blocks(page, 'sh'):
            for program, *words in words_of(block):
                if '--images' in words:  # scores anew, as a report in tests/cli/test_segmentation_tools.py does
                    first = words.index('--images')
                    words = words[:first] + words[first + 2 :]
                line = ' '.join(words)
                if program != 'python' or not line.startswith('tools/') or NOT_RUN.search(line):
                    continue
                kind = (words[0], len(words), *(word for word in words if word.startswith('--')))
                if kind not in seen:
                    seen.add(kind)
                    found.append((Path(words[0]).stem, words[1:]))
        if found and page.stem not in ('own_data', 'benchmarks'):
            yield pytest.param(found, id=page.name)


def words_of(block):
    with tempfile.TemporaryDirectory() as folder:
        return commands(f'cp() {{ :; }}\n{block}', Path(folder))


@pytest.mark.parametrize('found', commands_to_run())
def test_the_commands_run(found, world):
    for number, (tool, words) in enumerate(found):
        words = list(with_stand_ins(words, number))
        work = ['--work-dir', f'work_{number}'] if tool in ('train', 'test') else []
        run_tool(tool, *words[:1], *work, *words[1:], cwd=world)


@pytest.mark.parametrize(
    'page', [page for page in PAGES if 'import ' in '\n'.join(blocks(page, 'python'))], ids=lambda page: page.name
)
def test_the_python_blocks_run(page, world, monkeypatch):
    monkeypatch.chdir(world)
    for block in blocks(page, 'python'):
        if 'import ' in block:
            names = dict(CONFIG='tiny.py', CHECKPOINT='iter_4.pth', FUSED='fused.pth')
            names['model'] = init_model('tiny.py', 'iter_4.pth', device='cpu')
            with torch.random.fork_rng():
                exec(block, names)
