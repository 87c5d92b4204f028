"""Blocks from elsewhere; whole iterations are in tests/cli/test_benchmark.py."""

import pytest

from repvgg_seg.benchmark.training_iterations import load_peer
from repvgg_seg.errors import InputError


def test_peer_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match='^peer must be FILE:CLASS'):
        load_peer(str(tmp_path / 'none.py:Block'))
    (tmp_path / 'some.py').write_text('')
    with pytest.raises(InputError, match="^peer: .*some.py has no class 'Block'"):
        load_peer(str(tmp_path / 'some.py:Block'))
