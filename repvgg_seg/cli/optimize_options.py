"""The options of the commands that rewrite a model for inference."""

from typing import Any

# Name, and what `ArgumentParser.add_argument` takes besides.
OPTIMIZE_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        '--memory',
        dict(
            default='free',
            metavar='{fused,free,MIB}',
            help='what the optimized form may hold on a CPU: no more than the fused form, what the machine has to spare '
            '(the default), or a number of MiB',
        ),
    ),
    (
        '--measure-anew',
        dict(
            action='store_true',
            help='choose the optimized form by new measurements, not by those of an earlier call, and compare it in full',
        ),
    ),
)
