"""Several engines to choose from: the file that is computed fastest here is kept."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from mmengine.logging import print_log
from mmseg.models import EncoderDecoder

from ..errors import InputError
from ..files import named_errors
from .compare import Comparison
from .engine import load_engine
from .engine_info import EngineInfo
from .fastest import seconds_of
from .formats import FORMATS
from .write_engine_file import ExportOptions, check_target, move, write_engine_file


def write_fastest(
    model: EncoderDecoder, targets: Mapping[Path, EngineInfo], options: ExportOptions
) -> tuple[Path, Comparison, dict[str, float]]:
    """Write a segmentor for several engines, and keep the file that is computed fastest on this machine.

    Args:
        model: as `write_engine_file` takes it.
        targets: the files, in one folder that exists, and what is written beside each.
        options: how they are written; the first of the images is what is timed.

    Returns:
        The file that is kept, its comparison with the model, and the seconds of all formats, fastest first.

    Raises:
        InputError: a file exists, or none could be written; then it says why the first could not.
    """
    for target, info in targets.items():
        check_target(target, info.format, options.overwrite)
    folder = next(iter(targets)).parent
    drafts, comparisons, errors = {}, {}, []
    with (
        named_errors(folder),
        tempfile.TemporaryDirectory(dir=folder, prefix='.fastest.', ignore_cleanup_errors=True) as drafts_folder,
    ):
        for target, info in targets.items():
            draft = Path(drafts_folder, target.name)
            try:
                comparisons[info.format] = write_engine_file(model, draft, info, options)
            except InputError as error:
                print_log(f'{FORMATS[info.format].engine} is left out: {error}', 'current')
                errors.append(error)
            else:
                drafts[info.format] = draft
        if not drafts:
            raise errors[0]
        seconds = seconds_of({name: load_engine(draft) for name, draft in drafts.items()}, model, options.images[0])
        fastest = next(iter(seconds))
        target = folder / drafts[fastest].name
        move(drafts[fastest], target, FORMATS[fastest])
    return target, comparisons[fastest], seconds
