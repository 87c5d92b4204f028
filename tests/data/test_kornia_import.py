"""A version of kornia that is too old is refused."""

import pytest

pytest.importorskip('kornia', minversion='0.9', reason='kornia 0.9 needs Python 3.11')
from repvgg_seg.data import ClassificationPreprocessor
from repvgg_seg.errors import InputError


def test_an_older_kornia(monkeypatch):
    monkeypatch.setattr('kornia.__version__', '0.8.3')
    with pytest.raises(InputError, match='need kornia 0.9 or newer .*, found 0.8.3: pip install'):
        ClassificationPreprocessor(mixup_alpha=0.2)
