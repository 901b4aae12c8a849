#!/usr/bin/env bash
# AUROC of both sets, for plain RoPE and YaRN; a result that is there is not computed again.
# LENGTHS='[128,512]' for fewer lengths, SCORES='[llr]' for one pass a variant instead of three.
set -euo pipefail
cd "$(dirname "$0")/../../.."
here=experiments/long_context/variant_effect
for set in nonsense missense; do
  for method in rope "yarn --model.pe.factor 16"; do
    results=$here/results/${set}_${method%% *}.json
    [ -e "$results" ] && continue
    # shellcheck disable=SC2086
    mgen test --config $here/tiny.yaml --data.variants $here/$set.tsv --model.pe $method \
      --data.lengths "${LENGTHS:-[512,1024,2048,4096]}" --model.scores "${SCORES:-[llr,distance]}" \
      --model.results "$results"
  done
done
python $here/table.py
