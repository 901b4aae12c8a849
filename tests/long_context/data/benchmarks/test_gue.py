# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.long_context.data.benchmarks import GUELong


def test_a_clone_of_the_repository(layouts, tmp_path):
    layouts.gue(tmp_path)
    data = GUELong(str(tmp_path), window=200)
    data.setup()
    assert (len(data.train_dataset), len(data.val_dataset), len(data.test_dataset)) == (80, 40, 40)
    assert data.n_classes == 40


def test_labels_of_another_set_are_refused(layouts, tmp_path):
    layouts.gue(tmp_path, "fungi_species_20", 40)
    with pytest.raises(ValueError, match="label 20 is out of range: with n_classes 20"):
        GUELong(str(tmp_path), "fungi_species_20").setup()
