# SPDX-License-Identifier: Apache-2.0
"""Long context for AIDO.DNA: encoder, data, tasks and evaluation."""
