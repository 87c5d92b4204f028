import json

import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.reports.record import check_writable, training_facts


def test_a_record_is_replaced_and_nothing_else(tmp_path):
    path = tmp_path / 'new' / 'r.json'
    check_writable(str(path))
    path.write_text(json.dumps(dict(environment={})))
    check_writable(str(path))
    for content in ('# README', '{"model": 1}', ''):
        path.write_text(content)
        with pytest.raises(InputError, match='is no record of an earlier run, so it is not overwritten'):
            check_writable(str(path))
        assert path.read_text() == content


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match='name a file in a folder'):
        check_writable(str(tmp_path))
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match='cannot make the folder'):
        check_writable(str(tmp_path / 'file' / 'r.json'))


def test_a_checkpoint_without_meta_tells_nothing():
    assert training_facts({}) == {}
