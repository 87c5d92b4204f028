import hashlib
import json
import os

import pytest
import torch
from helpers import REPO

from repvgg_seg.errors import InputError
from repvgg_seg.reports.record import check_writable, read_record, training_facts, write_record


def test_a_record_is_replaced_and_nothing_else(tmp_path):
    path = tmp_path / 'new' / 'r.json'
    check_writable(str(path))
    assert not path.parent.exists(), 'what is refused later leaves no folder'
    path.parent.mkdir()
    path.write_text(json.dumps(dict(environment={})))
    check_writable(str(path))
    for content in ('# README', '{"model": 1}', ''):
        path.write_text(content)
        with pytest.raises(InputError, match='is not a record of an earlier run, so it is not overwritten'):
            check_writable(str(path))
        assert path.read_text() == content


def test_places_that_cannot_be_written(tmp_path):
    # Nobody makes a file in /proc, the owner of everything included.
    for wrong in (tmp_path, '', ' ', '/proc/r.json'):
        with pytest.raises(InputError, match='name a file in a folder'):
            check_writable(str(wrong))
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match='cannot make the folder'):
        check_writable(str(tmp_path / 'file' / 'r.json'))


def test_a_checkpoint_without_meta_tells_nothing():
    assert training_facts({}) == {}


def test_the_checkpoint_of_a_config_of_ones_own():
    """It need not have what our configs have; what is not there is None."""
    facts = training_facts(dict(iter=3, cfg="model = dict(type='Net', init_cfg=[dict(type='Normal')])"))
    assert facts.pop('iterations') == 3 and set(facts.values()) == {None}


def test_a_record_with_its_environment(tmp_path):
    path = tmp_path / 'r.json'
    record = write_record(str(path), device=torch.device('cpu'), rows=[dict(ms=1.0)])
    assert read_record(path) == record
    assert record['rows'] == [{'ms': 1.0}]
    assert record['environment']['torch'] == torch.__version__
    assert 'checkpoint' not in record


def test_a_record_of_a_checkpoint(tmp_path):
    torch.save(dict(state_dict={}), tmp_path / 'c.pth')
    record = write_record(str(tmp_path / 'r.json'), checkpoint=str(tmp_path / 'c.pth'), form='fused')
    digest = hashlib.sha256((tmp_path / 'c.pth').read_bytes()).hexdigest()
    assert record['checkpoint'] == dict(name='c.pth', sha256=digest)
    assert record['training'] == {} and record['form'] == 'fused'


def test_a_record_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / 'r.json'
    write_record(str(path), rows=[])
    before = path.read_text()
    with pytest.raises(TypeError):
        write_record(str(path), rows=[object()])
    assert path.read_text() == before
    assert os.listdir(tmp_path) == ['r.json']


def test_records_written_before_can_be_read():
    paths = sorted((REPO / 'results').rglob('*.json'))
    assert len(paths) > 20
    for path in paths:
        assert read_record(path) is not None, path


def test_the_weights_that_a_run_began_with():
    begun = "load_from = 'a.pth'\nmodel = dict(backbone=dict(init_cfg=dict(checkpoint='b.pth')))\nresume = {}"
    assert training_facts(dict(cfg=begun.format(False)))['initialised_from'] == 'a.pth'
    assert (
        training_facts(dict(cfg=begun.format(True)))['initialised_from'] == 'b.pth'
    )  # a.pth is its own checkpoint then
