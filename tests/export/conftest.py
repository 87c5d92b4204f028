"""A small network in the file of every engine; what takes long is done once in a process."""

import functools
import shutil

import pytest
import torch
from engine_files import facts, find_several_classes, pictures, skip_without_engine
from mmengine.registry import init_default_scope
from small_models import head_config, segmentor

from repvgg_seg.export import onnx, openvino, torch_export
from repvgg_seg.export.formats import FORMATS
from repvgg_seg.export.write_engine_file import ExportOptions, write_engine_file


@pytest.fixture(scope='session')
def small():
    """PSPNet on a RepVGG of eight layers in training form, whose logits are spread."""
    init_default_scope('mmseg')
    torch.manual_seed(2)
    # Two levels of a pyramid take half the time of four, which tests/export/test_plain_pyramid.py has.
    model = segmentor(decode_head=head_config('PSPHead', channels=12, pool_scales=(1, 3)))
    find_several_classes(model, model.data_preprocessor(dict(inputs=pictures((64, 96))), False)['inputs'])
    return model


@pytest.fixture(scope='session')
def exported(small, tmp_path_factory):
    """Write the network for an engine: `exported(format)` for any size, `exported(format, (H, W))`; returns file and comparison."""
    folder = tmp_path_factory.mktemp('exported')

    @functools.cache
    def export(format, size):
        skip_without_engine(format)
        target = folder / ('any' if size is None else '{}x{}'.format(*size)) / f'net{FORMATS[format].suffix}'
        target.parent.mkdir(exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            if size is None:  # what torch.export records and what ONNX makes of it is the same for several engines
                for module in (onnx, torch_export):
                    patch.setattr(module, 'exported_program', recorded)
                if format == 'openvino':
                    file, _ = export('onnx', None)
                    patch.setattr(openvino, 'write_onnx', lambda *arguments: shutil.copy(file, arguments[-1]))
            found = write_engine_file(
                small, target, facts(format, small, size=size), ExportOptions(pictures((64, 96), (51, 70)))
            )
        return target, found

    record, programs = onnx.exported_program, []

    def recorded(*arguments):
        programs.append(programs[0] if programs else record(*arguments))
        return programs[0]

    return lambda format, size=None: export(format, size)
