# SPDX-License-Identifier: Apache-2.0
from modelgenerator.long_context.data.benchmarks import Taxonomy


def test_a_clone_of_the_repository(layouts, tmp_path):
    layouts.generteam(tmp_path)
    data = Taxonomy(str(tmp_path), window=100, valid_split_size=0.25)
    data.setup()
    assert (len(data.train_dataset), len(data.val_dataset), len(data.test_dataset)) == (9, 3, 6)
    row = data.test_dataset[0]
    assert row["sequences"] == layouts.dna(300, 1000)[:100], "the start is kept"
