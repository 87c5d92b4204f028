import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from repvgg_seg.reports import environment as module
from repvgg_seg.reports.environment import environment, system_facts


@pytest.fixture
def found(monkeypatch):
    """Replaces what `collect_env` finds."""

    def replace(**facts):
        monkeypatch.setattr(module, 'collect_env', lambda: facts)
        return system_facts.__wrapped__()

    return replace


def test_device_and_versions():
    facts = environment(torch.device('cpu'))
    assert facts['torch'] == torch.__version__ and facts['threads'] == torch.get_num_threads() and facts['device']


def test_it_is_json_and_names_no_place_of_this_machine():
    text = json.dumps(environment(torch.device('cpu')))
    for place in (Path.home(), Path(sys.prefix), Path(__file__).parents[2]):
        assert f'{place}/' not in text


def test_system_facts_without_paths(found):
    facts = found(
        **{
            'sys.platform': 'linux',
            'GPU 0,1': 'A GPU',
            'CUDA_HOME': '/usr/local/cuda',
            'NVCC': 'Cuda compilation tools, release 12.4',
            'GCC': '/home/someone/bin/gcc 12',
            'numpy_random_seed': 7,
            'PyTorch compiling details': 'built with:\n  - GCC 13.3\n  - CUDA Runtime 12.4\n  - CXX_COMPILER=/opt/c++\n',
        }
    )
    assert facts == {
        'sys.platform': 'linux',
        'GPU 0,1': 'A GPU',
        'NVCC': 'Cuda compilation tools, release 12.4',
        'PyTorch compiling details': ['built with:', 'GCC 13.3', 'CUDA Runtime 12.4'],
    }


def test_no_facts_where_collect_env_cannot_be_imported(monkeypatch):
    def collect_env():
        raise ModuleNotFoundError("No module named 'distutils'")

    monkeypatch.setattr(module, 'collect_env', collect_env)
    assert system_facts.__wrapped__() == {}


def test_a_missing_compiler_is_not_shown(monkeypatch, capfd):
    def collect_env():
        subprocess.check_call('echo gcc: not found >&2', shell=True)
        return {'GCC': 'n/a'}

    monkeypatch.setattr(module, 'collect_env', collect_env)
    assert system_facts.__wrapped__() == {'GCC': 'n/a'}
    subprocess.check_call('echo heard >&2', shell=True)
    assert capfd.readouterr().err == 'heard\n'
