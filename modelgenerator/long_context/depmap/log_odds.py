# SPDX-License-Identifier: Apache-2.0
"""The number a dependency map holds: how far a substitution moves the odds of another base.

    odds(b) = p(b) / (1 - p(b))
    change  = max over alternatives a and bases b of | log2 odds(b | a) - log2 odds(b | reference) |

Tomaz da Silva et al., Nature Genetics 2025, s41588-025-02347-3. As in ModelGenerator's script, p is
the softmax over the four bases alone, lifted by 1e-4 and normalised again, so that no odds are
infinite.
"""

from torch import Tensor

LETTERS = "ACGT"  # the order of bases in every array of a map
LIFT = 1e-4


def probabilities(logits: Tensor) -> Tensor:
    """Lifted probabilities [..., 4] of logits [..., 4] of the four bases."""
    p = logits.float().softmax(-1) + LIFT
    return p / p.sum(-1, keepdim=True)


def log_odds(logits: Tensor) -> Tensor:
    """log2 of the odds of each base [..., 4], from logits [..., 4]."""
    p = probabilities(logits)
    # 1 - p as the sum of the others: near p = 1 a difference in float32 loses its digits.
    others = p.roll(1, -1) + p.roll(2, -1) + p.roll(3, -1)
    return (p / others).log2()


def largest_change(mutants: Tensor, reference: Tensor) -> Tensor:
    """Largest change over alternatives and bases.

    Args:
        mutants: Log-odds with each substitution [rows, substitutions, columns, 4].
        reference: Log-odds without [columns, 4].

    Returns:
        The map's values [rows, columns].
    """
    return (mutants - reference).abs().amax(dim=(1, 3))
