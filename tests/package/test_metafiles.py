"""model-index.yml and the metafiles behind it, in OpenMMLab's format: what they say is so."""

import json
import re
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config

from repvgg_seg.benchmark.paper_tables import (
    BLOCKS,
    BRANCHES,
    CLASSIFIERS,
    CLASSIFIERS_200E,
    RESNET_50_BLOCKS,
    SEGMENTORS,
)

REPO = Path(__file__).resolve().parents[2]
METAFILES = yaml.safe_load((REPO / 'model-index.yml').read_text())['Import']
CONTENTS = {name: yaml.safe_load((REPO / name).read_text()) for name in METAFILES}
MODELS = [model for content in CONTENTS.values() for model in content['Models']]


def by_name(models):
    return pytest.mark.parametrize('model', models, ids=lambda model: model['Name'])


def test_every_runnable_config_is_listed_once():
    configs = {path for folder in ('', 'imagenet', 'ablation') for path in REPO.glob(f'configs/{folder}/*.py')}
    configs -= {REPO / 'configs/pspnet_repvgg_own_data.py'}  # which is copied, and has no data of its own
    assert sorted(model['Config'] for model in MODELS) == sorted(str(path.relative_to(REPO)) for path in configs)


def test_collections_are_defined():
    for content in CONTENTS.values():
        collections = {collection['Name'] for collection in content['Collections']}
        assert {model['In Collection'] for model in content['Models']} == collections
        for collection in content['Collections']:
            assert collection['License'] == 'Apache License 2.0' and (REPO / collection['README']).is_file()


@by_name(MODELS)
def test_metadata_are_those_of_the_config(model):
    cfg, metadata = Config.fromfile(REPO / model['Config']), model['Metadata']
    assert model['Name'] == Path(model['Config']).stem
    assert metadata['Batch Size'] == cfg.auto_scale_lr.base_batch_size
    assert (metadata.get('Epochs'), metadata.get('Iterations')) == (
        cfg.train_cfg.get('max_epochs'),
        cfg.train_cfg.get('max_iters'),
    )
    backbone = cfg.model.get('backbone', cfg.model)
    v1c = ' (V1c)' * (backbone.get('type') == 'ResNetV1c')
    arch = f'RepVGG-{backbone.arch}' if 'arch' in backbone else f'ResNet-{backbone.depth}{v1c}'
    assert metadata['Architecture'][0] == arch + '-fast' * ('dilate_last' in backbone)
    folders = {
        'Cityscapes': 'cityscapes',
        'CamVid': 'camvid',
        'synthetic street scenes': 'synthetic',
        'ImageNet-1k': 'imagenet',
        'Tiny-ImageNet': 'tiny_imagenet',
        'Tiny-ImageNet, 50 classes': 'tiny_imagenet_50',
    }
    assert cfg.data_root == f'data/{folders[metadata["Training Data"]]}'


def test_figures_of_the_paper():
    found = {}
    for model in MODELS:
        for metric, value in model.get('Results', {}).get('Metrics', {}).items():
            if '(paper' in metric:
                found[model['Name'], metric] = value
    expected = {(name, 'mIoU (paper, Table 8)'): row['miou'] for name, row in SEGMENTORS.items()}
    # Mean pixel accuracy, the third column of Table 8.
    for name, accuracy in zip(SEGMENTORS, (96.19, 95.99, 96.27, 96.36, 96.30, 96.50), strict=True):
        expected[name, 'aAcc (paper, Table 8)'] = accuracy
    for number, epochs, table in ((4, 120, CLASSIFIERS), (5, 200, CLASSIFIERS_200E)):
        for name, (top1, _) in table.items():
            if name.startswith('RepVGG-'):
                config = f'{name.lower().replace("-", "_")}_{epochs}e'
                expected[config, f'Top 1 Accuracy (paper, Table {number})'] = top1
    for block, top1 in BLOCKS.items():
        expected[f'b0_{block}_120e', f'Top 1 Accuracy (paper, Table {6 if block in BRANCHES else 7})'] = top1
    for block, top1 in RESNET_50_BLOCKS.items():
        expected[f'resnet50_{block}_120e', 'Top 1 Accuracy (paper, section 4.2)'] = top1
    assert found == expected


@by_name([model for model in MODELS if 'Results' in model and 'paper' not in str(model['Results'])])
def test_figures_of_ours_are_those_of_the_record(model):
    record = json.loads((REPO / model['Results']['Record']).read_text())
    assert record['config'] == model['Config']
    names = {'Top 1 Accuracy': 'top1', 'Top 5 Accuracy': 'top5'}
    for metric, value in model['Results']['Metrics'].items():
        name, run = re.fullmatch(r'(.+) \((.+)\)', metric).groups()
        assert value == round(record['metrics'][names.get(name, name)], 2)
        number, what = run.split()
        assert int(number) == (
            record['options']['model.num_classes'] if what == 'classes' else record['training'][what]
        )


def test_weights_stand_where_there_are_some():
    assert not any('Weights' in model for model in MODELS)  # none are published
