"""The published ImageNet weights, as data, and the messages for a weights file that is missing. Standard library only.

Sizes, sums and accuracies are those that the publisher (or a public mirror of its files) records.
"""

from dataclasses import dataclass
from pathlib import Path, PurePath

from ..errors import listed
from ..invocation import as_typed

_MMPRETRAIN = 'https://download.openmmlab.com/mmclassification/v0/repvgg/'
_OPENMMLAB = 'https://download.openmmlab.com/pretrain/third_party/'
_OFFICIAL_PAGE = 'https://github.com/DingXiaoH/RepVGG'


@dataclass(frozen=True)
class KnownWeights:
    """One published file of ImageNet weights in training form.

    Args:
        name: what `tools/download_weights.py` takes; unique.
        file: name of the file; unique, and what the configs name in `pretrained/`.
        arch: architecture, as `repvgg_seg.models.archs.ARCHS` names it, or a ResNet.
        source: 'official', 'timm', 'mmpretrain' or 'openmmlab'.
        recipe: how they were trained.
        top1: ImageNet accuracy in percent, as published; None where it is not.
        url: address; None where there is no stable one.
        size: in bytes; None where it is not recorded.
        sha256: of the file, or its first digits where no more is recorded; '' for none.
        hub: repository on the Hugging Face hub that holds them as `model.safetensors`; '' for none.
    """

    name: str
    file: str
    arch: str
    source: str
    recipe: str
    top1: float | None = None
    url: str | None = None
    size: int | None = None
    sha256: str = ''
    hub: str = ''


def _official(
    arch: str, epochs: int, top1: float | None, size: int, sha256: str, suffix: str = 'train'
) -> KnownWeights:
    name = f'RepVGG-{arch}-{suffix}'
    recipe = f'{epochs} epochs, {"simple" if epochs == 120 else "strong"}'
    return KnownWeights(name, f'{name}.pth', arch, 'official', recipe, top1, size=size, sha256=sha256)


def _plus(top1: float, suffix: str, size: int, sha256: str) -> KnownWeights:
    name = f'RepVGGplus-L2pse-{suffix}'
    recipe = '300 epochs at 256x256; top-1 at 320x320'
    return KnownWeights(name, f'{name}.pth', 'L2pse', 'official', recipe, top1, size=size, sha256=sha256)


def _mmpretrain(
    arch: str,
    top1: float,
    sha256: str,
    name: str = '8xb32_in1k',
    tail: str = '20221213',
    recipe: str = 'retrained by mmpretrain',
) -> KnownWeights:
    name = f'repvgg-{arch}_{name}'
    file = f'{name}_{tail}-{sha256}.pth'
    return KnownWeights(name, file, arch, 'mmpretrain', recipe, top1, _MMPRETRAIN + file, sha256=sha256)


def _timm(arch: str, top1: float) -> KnownWeights:
    name = f'repvgg_{arch.lower()}.rvgg_in1k'
    file = f'{name}.safetensors'
    url = f'https://huggingface.co/timm/{name}/resolve/main/model.safetensors'
    return KnownWeights(name, file, arch, 'timm', 'the official weights', top1, url, hub=f'timm/{name}')


def _resnet(depth: int, sha256: str) -> KnownWeights:
    name = f'resnet{depth}_v1c'
    file = f'{name}-{sha256}.pth'
    return KnownWeights(
        name, file, f'ResNet-{depth}', 'openmmlab', 'stem of three convs', url=_OPENMMLAB + file, sha256=sha256
    )


KNOWN_WEIGHTS: tuple[KnownWeights, ...] = (
    _official('A0', 120, 72.41, 36588855, 'e538bfe8639d53a8cbeb4b580aac3dad8ecc304d71eddcb169f660a24fa80bb7'),
    _official('A1', 120, 74.46, 56547389, '11cc973c2faf93b379205260a66bf3824a5abd206f420b9aaab94c0ede3c992a'),
    _official('A2', 120, 76.48, 113071461, 'f047695db0247758805d9051b2a3acd31a82e8e995291d28b969698fe262cc86'),
    _official('B0', 120, 75.14, 63489053, 'd7c2d6ea9b3dfce017bead0eb3fff4f98e37b9e6a5aa15c2d5b75d4ac3f52bb0'),
    _official('B1', 120, 78.37, 230009223, 'fef08fb7dbe34966de425a4d1936c523d67bc05fadfe5228ea39514cbc62e1f5'),
    _official('B1g2', 120, 77.78, 183478388, '487c633c0161f48db2bd0aa698ef0b0b294dd7ff534305915bd2172cf1030ca9'),
    _official('B1g4', 120, 77.58, 160213188, '70017ec47e9a0f52e589992774292aef87c65883a0b0e5e2c6b3b04c43d2a9f1'),
    _official('B2', 120, 78.78, 356505995, '9c603f0af6a388dad15b26cf452b4b0ff71be5f9e3f6d8e09259a804a2e20def'),
    _official('B2g4', 120, 78.50, 247450480, '347cfa7201be39656e6638b0d725edfb0d2d828e2eeac6fadde77519f9ea68bc'),
    _official(
        'B2g4',
        200,
        79.38,
        247450330,
        'cff67b5ec33d5a88f7d6b677d092bec97cb625e3dbea97c316bd3871f2617464',
        '200epochs-train',
    ),
    _official(
        'B3',
        200,
        80.52,
        492817293,
        'ddb6ba07d090d7369486e7c90a2ebbd706af399cf40c619812fa52f6d91d928d',
        '200epochs-train',
    ),
    _official(
        'B3g4',
        200,
        80.21,
        335776986,
        '98e166bd59d7ce972058537363bad91e2295caab58fbef686495d79d557aaf22',
        '200epochs-train',
    ),
    _official(
        'D2se',
        200,
        None,
        534046654,
        '91b227e636de504a1549adac2f8f1d554c9a121e10c0287dd30e9ad90e481cab',
        '200epochs-train',
    ),
    _plus(84.06, 'train256-acc84.06', 585148392, '367ef8381dd6afd7565027c07248096fae7b594946b5c2b122df574a849346f8'),
    _plus(
        84.16, 'train-custom-wd-acc84.16', 585161602, '8b6fbe09cb9968996a3c8e22e77facf1eae110bbfe5681910eafeabc5293b55c'
    ),
    _mmpretrain('A0', 72.37, '60ae8e23'),
    _mmpretrain('A1', 74.23, 'f81bf3df'),
    _mmpretrain('A2', 76.49, 'a8767caf'),
    _mmpretrain('B0', 75.27, '5091ecc7'),
    _mmpretrain('B1', 78.19, 'd17c45e7'),
    _mmpretrain('B1g2', 77.87, 'ae6428fd'),
    _mmpretrain('B1g4', 77.81, 'a7a4aaea'),
    _mmpretrain('B2', 78.58, 'd8b420ef'),
    _mmpretrain('B2g4', 79.44, '0c1990eb'),
    _mmpretrain('B3', 80.58, '927a329a'),
    _mmpretrain('B3g4', 80.26, 'e01cb280'),
    _mmpretrain(
        'D2se',
        81.81,
        'cf3139b7',
        '3rdparty_in1k',
        '4xb64-autoaug-lbs-mixup-coslr-200e_in1k_20210909',
        'the official weights',
    ),
    _timm('A0', 72.426),
    _timm('A1', 74.474),
    _timm('A2', 76.488),
    _timm('B0', 75.158),
    _timm('B1', 78.370),
    _timm('B1g4', 77.608),
    _timm('B2', 78.788),
    _timm('B2g4', 79.396),
    _timm('B3', 80.528),
    _timm('B3g4', 80.224),
    _timm('D2se', 83.550),
    _resnet(50, '2cccc1ad'),
    _resnet(101, 'e67eebb6'),
)


def find_known(name: str) -> KnownWeights | None:
    """The entry with this name or file name; folders before it are ignored."""
    file = PurePath(name).name
    return next((known for known in KNOWN_WEIGHTS if file in (known.file, known.name)), None)


def published_sum(url: str) -> str:
    """The sha256 of the file at an address, or its first digits; '' where it is not known."""
    return next((known.sha256 for known in KNOWN_WEIGHTS if known.url == url), '')


def weights_of(arch: str) -> list[KnownWeights]:
    """The entries of an architecture, named in upper or lower case; empty where none is published."""
    return [known for known in KNOWN_WEIGHTS if known.arch.lower() == arch.lower()]


def missing_weights_message(path: str) -> str:
    """One line for a weights file that does not exist.

    For published weights it says which command fetches them, and how to train without. For any other file it says
    what its folder holds.
    """
    known = find_known(path)
    if known:
        return f'no file {path}: {how_to_get(known)}; to train from scratch: --cfg-options model.backbone.init_cfg=None'
    folder = Path(path).absolute().parent
    if folder.name == 'pretrained':
        return f'no file {path}; `{as_typed("download_weights", "--list")}` shows the ImageNet weights that have a name'
    if not folder.is_dir():
        return f'no file {path}: there is no folder {folder}'
    there = sorted(file.name for file in folder.glob('*.pth'))
    return f'no file {path}: ' + (f'in {folder} lie {listed(there)}' if there else f'no .pth file lies in {folder}')


def how_to_get(known: KnownWeights) -> str:
    """The command that fetches a file; without a stable address its page, and other weights of its architecture."""
    if known.url:
        return f'`{_command(known)}` fetches it from {known.url}'
    by_hand = (
        f'take {known.file} ({known.size:,} bytes, sha256 {known.sha256}) from the links on {_OFFICIAL_PAGE}, '
        'which have no stable address'
    )
    others = [other for other in weights_of(known.arch) if other.url]
    commands = ' or '.join(f'`{_command(other)}` ({other.recipe})' for other in others)
    instead = f', or {commands} and --cfg-options model.backbone.init_cfg.checkpoint=pretrained/FILE' if others else ''
    return by_hand + instead


def _command(known: KnownWeights) -> str:
    return as_typed('download_weights', known.name)
