"""Names of classes that a data set or a config gives."""

import pytest
from mmseg.datasets import ADE20KDataset, BaseSegDataset, CityscapesDataset

from repvgg_seg.data import CamVidDataset, CheckedSegDataset
from repvgg_seg.data.class_names import fault_of_classes


class Nameless(CheckedSegDataset):
    pass


class OneName(BaseSegDataset):
    METAINFO = dict(classes=('road'))  # the comma of a tuple is missing


class OwnMap(CityscapesDataset):
    @classmethod
    def get_label_map(cls, new_classes=None):
        return None


@pytest.mark.parametrize(
    'cls, metainfo, said',
    [
        (BaseSegDataset, None, 'BaseSegDataset has no names of classes'),
        (Nameless, dict(palette=[[0, 0, 0]]), 'Nameless has no names of classes'),
        (OneName, None, "METAINFO.classes is 'road', neither a list of names nor a file"),
        (BaseSegDataset, dict(classes='classes.txt'), "metainfo.classes is 'classes.txt', neither"),
        (BaseSegDataset, dict(classes=[0, 1]), 'not a list of names'),
        (BaseSegDataset, dict(classes=[]), 'not a list of names'),
        (BaseSegDataset, dict(classes=2), 'not a list of names'),
        (
            CamVidDataset,
            dict(classes=['a', 'Road', 'b']),
            "no class 'a', 'b': metainfo.classes chooses from Sky, Building",
        ),
        (CityscapesDataset, dict(classes=['Road']), "no class 'Road'"),
        (BaseSegDataset, dict(classes=['a', 'b']), ''),
        (CamVidDataset, dict(classes=('Car', 'Sky')), ''),
        (CamVidDataset, None, ''),
        (ADE20KDataset, None, ''),
        (OwnMap, dict(classes=['anything']), ''),
    ],
)
def test_names(cls, metainfo, said):
    fault = fault_of_classes(cls, metainfo)
    assert said in fault and bool(fault) is bool(said)


def test_a_file_of_names(tmp_path):
    (tmp_path / 'classes.txt').write_text('a\nb\n')
    assert fault_of_classes(BaseSegDataset, dict(classes=str(tmp_path / 'classes.txt'))) == ''
