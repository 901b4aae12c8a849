# SPDX-License-Identifier: Apache-2.0
"""The live training page: run folders, what is read from them, and the page itself.

The page and what it reads with import no torch, so it starts fast and can run on a machine without
it. `record`, `steps` and `by_length` are the training side.
"""
