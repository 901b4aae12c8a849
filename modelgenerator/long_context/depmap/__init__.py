# SPDX-License-Identifier: Apache-2.0
"""Dependency maps: which bases a model's prediction of a base depends on."""
