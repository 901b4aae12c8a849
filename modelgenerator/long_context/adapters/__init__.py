# SPDX-License-Identifier: Apache-2.0
"""Adapters that pool long windows, and the pooling they are made of."""

from modelgenerator.long_context.adapters.adapters import (
    LinearAttentionPoolAdapter,
    LinearCentrePoolAdapter,
)

__all__ = ["LinearAttentionPoolAdapter", "LinearCentrePoolAdapter"]
