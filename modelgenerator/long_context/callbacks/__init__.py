# SPDX-License-Identifier: Apache-2.0
"""Lightning callbacks for long windows."""

from modelgenerator.long_context.callbacks.attention_statistics import AttentionStatistics
from modelgenerator.long_context.callbacks.compilation import CompileLayers
from modelgenerator.long_context.callbacks.fit_record import FitRecord
from modelgenerator.long_context.callbacks.flash_attention import FlashAttention
from modelgenerator.long_context.callbacks.gradient_checkpointing import GradientCheckpointing
from modelgenerator.long_context.callbacks.head_calibration import HeadCalibration
from modelgenerator.long_context.callbacks.logit_calibration import LogitCalibration
from modelgenerator.long_context.callbacks.memory_check import MemoryCheck
from modelgenerator.long_context.callbacks.monitor import Monitor
from modelgenerator.long_context.callbacks.positional_step import PositionalStep
from modelgenerator.long_context.callbacks.probes import Probes
from modelgenerator.long_context.callbacks.reverse_complement import ReverseComplementConsistency
from modelgenerator.long_context.callbacks.skipped_positions import SkippedPositions
from modelgenerator.long_context.callbacks.stop_on_non_finite import StopOnNonFinite

__all__ = [
    "AttentionStatistics",
    "CompileLayers",
    "FitRecord",
    "FlashAttention",
    "GradientCheckpointing",
    "HeadCalibration",
    "LogitCalibration",
    "MemoryCheck",
    "Monitor",
    "PositionalStep",
    "Probes",
    "ReverseComplementConsistency",
    "SkippedPositions",
    "StopOnNonFinite",
]
