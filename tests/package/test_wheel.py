"""What `make dist` builds: what is in it, and that it works from a folder that holds nothing of the project."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import repvgg_seg

REPO = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

# DeepLabV3+ over a small RepVGG, on parts of the package's configs.
OWN_CONFIG = """
_base_ = [
    'repvgg_seg::_base_/datasets/synthetic.py',
    'repvgg_seg::_base_/schedules/mmseg_80k.py',
    'repvgg_seg::_base_/runtime/default_runtime.py',
]
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size=(192, 192),
        seg_pad_val=255,
    ),
    backbone=dict(
        type='RepVGG', arch=dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25), output_stride=16, norm_cfg=norm_cfg
    ),
    decode_head=dict(
        type='DepthwiseSeparableASPPHead',
        in_channels=128,
        channels=16,
        dilations=(1, 6, 12),
        c1_in_channels=16,
        c1_channels=8,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
param_scheduler = [dict(type='PolyLR', power=0.9, begin=0, end=5, by_epoch=False)]
train_cfg = dict(max_iters=5, val_interval=5)
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=5))
train_dataloader = dict(num_workers=0)
val_dataloader = dict(num_workers=0)
test_dataloader = val_dataloader
"""


@pytest.fixture(scope='module')
def dist(tmp_path_factory):
    """The folder with sdist and wheel, built from a copy of what the project consists of."""
    pytest.importorskip('build')
    root = tmp_path_factory.mktemp('build')
    source = root / 'source'
    source.mkdir()
    for path in REPO.iterdir():
        if path.name in ('repvgg_seg', 'configs', 'tools', 'results', 'tests', '.ci'):
            shutil.copytree(path, source / path.name, symlinks=True)
        elif path.is_file() and path.name != '.git':  # a file in a linked working tree
            shutil.copy(path, source)
    for folder in ('repvgg_seg', 'configs', 'tools'):  # as running the project leaves them behind
        (source / folder / '__pycache__').mkdir(exist_ok=True)
        (source / folder / '__pycache__' / 'left.cpython-311.pyc').write_text('')
    command = [sys.executable, '-m', 'build', '--no-isolation', '--outdir', root / 'dist', source]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return root / 'dist'


DATA = ('reports/page/*.html.j2', 'reports/page/*.css', 'reports/page/*.js', 'inference/*.safetensors')


def only(folder, pattern):
    (path,) = folder.glob(pattern)
    return path


def files_of(folder):
    """The files below a folder of the repository that a package holds, by their paths in `.mim`."""
    paths = (path for path in (REPO / folder).rglob('*') if path.suffix in ('.py', '.sh', '.yml'))
    return {f'repvgg_seg/.mim/{path.relative_to(REPO).as_posix()}': path for path in paths}


def test_the_wheel_holds_the_package_and_what_is_linked_into_it(dist):
    with zipfile.ZipFile(only(dist, '*.whl')) as wheel:
        infos = {info.filename: info for info in wheel.infolist()}
        linked = files_of('configs') | files_of('tools') | {'repvgg_seg/.mim/model-index.yml': REPO / 'model-index.yml'}
        sources = {path.relative_to(REPO).as_posix() for path in (REPO / 'repvgg_seg').rglob('*.py')}
        package = {name for name in sources if '/.mim/' not in name}
        data = (path for pattern in DATA for path in (REPO / 'repvgg_seg').glob(pattern))
        package |= {path.relative_to(REPO).as_posix() for path in data}
        assert {name for name in infos if '.dist-info/' not in name} == package | {
            'repvgg_seg/py.typed'
        } | linked.keys()
        for name, path in linked.items():
            assert wheel.read(name) == path.read_bytes(), name
            executable = bool(infos[name].external_attr >> 16 & 0o111)
            assert executable == (path.suffix == '.sh'), name
        metadata = wheel.read(only_name(infos, 'METADATA')).decode()
        entry_points = wheel.read(only_name(infos, 'entry_points.txt')).decode()
    assert f'\nVersion: {repvgg_seg.__version__}\n' in metadata
    assert '\nLicense: Apache-2.0\n' in metadata or '\nLicense-Expression: Apache-2.0\n' in metadata
    assert 'repvgg-seg = repvgg_seg.cli.main:main' in entry_points


def only_name(names, ending):
    (name,) = [name for name in names if name.endswith(f'.dist-info/{ending}')]
    return name


def test_the_sdist_holds_files_in_the_place_of_links(dist):
    with tarfile.open(only(dist, '*.tar.gz')) as sdist:
        members = {member.name.split('/', 1)[-1]: member for member in sdist if not member.isdir()}
    assert all(member.isreg() for member in members.values())
    assert members.keys() >= {*files_of('configs'), *files_of('tools'), 'repvgg_seg/.mim/model-index.yml'}
    assert members.keys() >= {
        'configs/pspnet_repvgg_b2.py',
        'tools/train.py',
        'tests/package/test_wheel.py',
        'Makefile',
    }
    assert members['tools/dist_train.sh'].mode & members['repvgg_seg/.mim/tools/dist_train.sh'].mode & 0o111
    assert not [name for name in members if '__pycache__' in name]


@pytest.fixture(scope='module')
def installed(dist, tmp_path_factory):
    """An empty folder, and a function that runs a program of a fresh environment with the wheel there.

    The environment sees the dependencies of the one that runs the tests, but none of its .pth files, so that an editable
    install there does not count.
    """
    env = tmp_path_factory.mktemp('env')
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', env], check=True)
    programs = env / ('Scripts' if os.name == 'nt' else 'bin')
    install = [sys.executable, '-m', 'pip', '--python', programs / 'python', 'install', '--quiet', '--no-deps']
    subprocess.run([*install, '--no-index', only(dist, '*.whl')], check=True)
    site_packages = only(env, 'lib/*/site-packages') if os.name != 'nt' else env / 'Lib' / 'site-packages'
    (site_packages / 'dependencies.pth').write_text(sysconfig.get_path('purelib') + '\n')
    folder = tmp_path_factory.mktemp('empty')
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}
    environment |= {
        'OMP_NUM_THREADS': '1',
        'CUDA_VISIBLE_DEVICES': '',
    }  # the same everywhere, and two processes on gloo

    def run(program, *args, status=0):
        command = [programs / program, *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
        said = done.stdout + done.stderr
        assert done.returncode == status, said[-4000:]
        return said

    where = run('python', '-c', 'import repvgg_seg; print(repvgg_seg.__file__)').splitlines()
    assert str(site_packages / 'repvgg_seg' / '__init__.py') in where
    return folder, run


@pytest.fixture(scope='module')
def own_config(installed):
    """A config of one's own in the empty folder, and a few scenes where it looks for them."""
    folder, run = installed
    (folder / 'deeplabv3plus.py').write_text(OWN_CONFIG)
    run('repvgg-seg', 'make-synthetic-scenes', '--train', 4, '--val', 2, '--size', 192, 384)
    return folder / 'deeplabv3plus.py'


def test_the_ways_in(installed):
    _, run = installed
    assert f'repvgg-seg {repvgg_seg.__version__}' in run('python', '-m', 'repvgg_seg', '--version')
    assert 'usage: repvgg-seg train [-h]' in run('repvgg-seg', 'train', 'pspnet_repvgg_a0_synthetic', '--help')


def test_a_config_is_found_by_its_name(installed):
    _, run = installed
    said = run('repvgg-seg', 'train', 'pspnet_repvgg_b2', status=2)
    assert 'pretrained/RepVGG-B2-train.pth' in said  # what that config needs first


def test_a_config_of_ones_own_is_trained_fused_and_scored(installed, own_config):
    folder, run = installed
    said = run('repvgg-seg', 'train', own_config.name)
    losses = [float(loss) for loss in re.findall(r'Iter\(train\) +\[\d/5\].* loss: ([\d.]+)', said)]
    assert len(losses) == 5 and all(0 < loss < 10 for loss in losses)
    checkpoint = folder / 'work_dirs' / 'deeplabv3plus' / 'iter_5.pth'
    said = run('repvgg-seg', 'reparameterize', own_config.name, checkpoint, 'fused.pth')
    (error,) = re.findall(r'largest relative error of the fused form: (\S+)', said)
    assert float(error) < 1e-4
    said = run('repvgg-seg', 'test', own_config.name, 'fused.pth', '--result', 'fused.json')
    (miou,) = re.findall(r'Iter\(test\).* mIoU: ([\d.]+)', said)
    record = json.loads((folder / 'fused.json').read_text())
    assert record['form'] == 'fused' and record['images'] == 2
    assert record['metrics']['mIoU'] == pytest.approx(float(miou), abs=0.01) and 0 < float(miou) < 100


def test_two_processes(installed, own_config):
    folder, run = installed
    torchrun = ('python', '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', 2, '-m')
    options = ('--work-dir', 'work_dirs/two', '--cfg-options', 'train_cfg.max_iters=2', 'train_cfg.val_interval=2')
    options = (*options, 'default_hooks.checkpoint.interval=2', 'log_level=INFO')
    run(*torchrun, 'repvgg_seg.cli.main', 'train', own_config.name, '--launcher', 'pytorch', *options)
    assert (folder / 'work_dirs' / 'two' / 'iter_2.pth').exists()


def test_a_photograph_is_segmented_without_training(installed):
    folder, run = installed
    Image.new('RGB', (160, 120), (90, 120, 150)).save(folder / 'photo.png')
    assert '1 image in' in run('repvgg-seg', 'predict', 'photo.png', '--out-dir', 'segmented')
    assert Image.open(folder / 'segmented/labels/photo.png').size == (160, 120)
