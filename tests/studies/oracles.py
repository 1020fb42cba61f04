"""Life by plain loops, and single networks of torch's own layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from swarm_nca.studies.life_networks import Architecture


def life(boards: Tensor, steps: int = 1) -> Tensor:
    """Boards [B, side, side] after `steps` steps of Conway's Life, on the torus."""
    for _ in range(steps):
        after = torch.zeros_like(boards)
        for board, result in zip(boards.tolist(), after, strict=True):
            side = len(board)
            for row in range(side):
                for column in range(side):
                    count = sum(
                        board[(row + down) % side][(column + across) % side]
                        for down in (-1, 0, 1)
                        for across in (-1, 0, 1)
                        if down or across
                    )
                    alive = count == 3 or (count == 2 and board[row][column])
                    result[row, column] = float(alive)
        boards = after
    return boards


class Single(nn.Module):
    """One network, of `torch.nn.Conv2d` with circular padding."""

    def __init__(self, architecture: Architecture, row: Tensor) -> None:
        super().__init__()
        m, parts = architecture.width, []
        for step in range(architecture.steps):
            first = nn.Conv2d(m if step else 1, 2 * m, 3, padding=1, padding_mode="circular")
            parts += [first, nn.ReLU(), nn.Conv2d(2 * m, m, 1), nn.ReLU()]
        self.body = nn.Sequential(*parts, nn.Conv2d(m, 1, 1))
        nn.utils.vector_to_parameters(row.clone(), self.parameters())

    def forward(self, boards: Tensor) -> Tensor:
        """Boards [B, side, side] → logits of the same shape."""
        return self.body(boards[:, None])[:, 0]

    def row(self) -> Tensor:
        """All weights in order, [K]."""
        return nn.utils.parameters_to_vector(self.parameters()).detach()


def exact_row(steps: int) -> Tensor:
    """The hand-written weights of a minimal network without mistakes, [23 n + 2].

    Let u = 2 · neighbours + own: a cell is alive afterwards where 5 ≤ u ≤ 7. So relu(1 −
    relu(5 − u) − relu(u − 7)) is 1 there and 0 elsewhere.
    """
    u = torch.tensor([2.0, 2, 2, 2, 1, 2, 2, 2, 2])
    step = torch.cat([-u, u, torch.tensor([5.0, -7, -1, -1, 1])])
    return torch.cat([step] * steps + [torch.tensor([10.0, -5])])
