"""A run of dilated layers in the gutter layout, of one size, in operators that every engine has."""

from torch import Tensor, nn

from ..optimize.passes.dilation import PhaseRun
from .axis_matrices import phases


class GutterRun(nn.Module):
    """What a `PhaseRun` computes in 'gutter' layout, (N, C, H, W) -> (N, C_out, H, W), for export.

    Products with matrices of zeros and ones bring the phase images onto the canvas and back, and a mask clears the gutters
    before every 3x3 conv, so that an engine sees undilated convs alone, for which it may have Winograd's algorithm.

    Args:
        run: in place of which it stands, over the same layers.
        size: (H, W) of the maps.
    """

    rows: Tensor
    columns: Tensor
    rows_back: Tensor
    columns_back: Tensor
    mask: Tensor

    def __init__(self, run: PhaseRun, size: tuple[int, int]):
        super().__init__()
        self.layers = run.layers
        dtype = next(run.parameters()).dtype
        rows, columns = (phases(run.dilation, length, dtype) for length in size)
        # pnnx makes a linear layer of the product with a 2-d matrix, and in ncnn the reshapes around it are slow.
        self.register_buffer('rows', rows[None])
        self.register_buffer('columns', columns.t()[None].contiguous())
        self.register_buffer('rows_back', rows.t()[None].contiguous())
        self.register_buffer('columns_back', columns[None])
        self.register_buffer('mask', (rows.sum(1)[:, None] * columns.sum(1))[None, None])

    def forward(self, x: Tensor) -> Tensor:
        x = self.rows @ (x @ self.columns)
        for layer in self.layers:
            x = layer(x, self._clear)
        return self.rows_back @ (x @ self.columns_back)

    def _clear(self, canvas: Tensor) -> Tensor:
        return canvas * self.mask
