# SPDX-License-Identifier: Apache-2.0
"""Take an extended encoder away: a Hugging Face folder that plain transformers loads."""

from modelgenerator.long_context.export.folder import export_folder

__all__ = ["export_folder"]
