"""docs/own_data.md: its commands alone make a trained and scored toy of ten photographs and coloured masks."""

import re
import shutil

import numpy as np
import pytest
from helpers import REPO
from mmengine.config import Config
from pages import blocks, commands
from PIL import Image
from script_process import run_script

PAGE = REPO / 'docs' / 'own_data.md'
SHELL = blocks(PAGE, 'sh')
(LINES,) = blocks(PAGE, 'python')
CONFIG = REPO / 'configs' / 'pspnet_repvgg_own_data.py'


def change_lines(config, lines):
    """Put lines `name = value` of the page in the place of those of a copied config."""
    text = config.read_text(encoding='utf-8')
    for line in lines.splitlines():
        name = line.split(' = ')[0]
        text, number = re.subn(rf'^{name} = .*$', line.replace('\\', r'\\'), text, count=1, flags=re.MULTILINE)
        assert number == 1 and text.index(f'{name} = ') < text.index('# ------'), f'{name} is no line to change'
    config.write_text(text, encoding='utf-8')


def write_photographs(root):
    """Ten pictures of a box on a floor, and their masks in colours."""
    generator = np.random.default_rng(0)
    for part in ('images', 'masks'):
        (root / part).mkdir(parents=True)
    for i in range(10):
        mask = np.zeros((64, 96, 3), np.uint8)
        y, x = generator.integers(5, 30, 2)
        mask[y : y + 30, x : x + 40] = (255, 0, 0)
        mask[50:] = (0, 0, 255)
        noise = Image.fromarray(generator.integers(0, 256, (4, 6, 3), dtype=np.uint8)).resize((96, 64))
        photograph = np.where(mask.any(-1, keepdims=True), mask // 2 + 60, np.array(noise))
        Image.fromarray(photograph.astype(np.uint8)).save(root / 'images' / f'IMG {i} é.JPG')
        Image.fromarray(mask).save(root / 'masks' / f'IMG {i} é_mask.png')


@pytest.mark.slow
def test_the_commands_of_the_page(tmp_path):
    write_photographs(tmp_path / 'data' / 'mine')
    copy, from_wheel, check, train = SHELL
    assert commands(copy, tmp_path) == []
    ((_, _, code),) = commands(from_wheel, tmp_path)
    shutil.move(tmp_path / 'my_data.py', tmp_path / 'copied.py')
    exec(code.replace("'my_data.py'", repr(str(tmp_path / 'my_data.py'))), {})
    assert (tmp_path / 'copied.py').read_text() == (tmp_path / 'my_data.py').read_text() == CONFIG.read_text()
    change_lines(tmp_path / 'my_data.py', LINES)
    said = {}
    for _, tool, *arguments in [*commands(check, tmp_path), *commands(train, tmp_path)]:
        status, out, err = run_script(REPO / tool, *arguments, cwd=tmp_path)
        assert status == 0, out[-1500:] + err[-1500:]
        said[tool] = out + err
    assert 'nothing is wrong' in said['tools/check_dataset.py']
    scores = dict(re.findall(r'(aAcc|mIoU|mAcc): ([\d.]+)', said['tools/test.py']))
    assert float(scores['mIoU']) > 40, said['tools/test.py'][-800:]
    labels = [np.unique(np.array(Image.open(path))) for path in (tmp_path / 'predictions').glob('*.png')]
    assert labels and all(set(values.tolist()) <= {0, 1, 2} for values in labels)


def test_the_lines_to_change_stand_at_the_top():
    """About ten, and `num_classes` is written once."""
    top, rest = CONFIG.read_text().split('# ------', 1)
    assert 8 <= len(re.findall(r'^\w+ = ', top, re.MULTILINE)) <= 14
    assert 'num_classes=num_classes' in rest and not re.search(r'num_classes=\d', rest)
    cfg = Config.fromfile(CONFIG)
    assert [cfg.model[head].num_classes for head in ('decode_head', 'auxiliary_head')] == [len(cfg.classes)] * 2
