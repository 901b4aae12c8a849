#!/usr/bin/env bash
# AUROC of every set: baselines, then methods at 512 nt on all variants and at growing windows on few.
# About 20 minutes on one core. Old results are deleted first. More: PAIRS=50 METHODS="rope yarn pi" LENGTHS='[512,4096]'
set -euo pipefail
cd "$(dirname "$0")/../../.."
here=experiments/long_context/variant_effect
genomes=modelgenerator/long_context/assets/genomes
declare -A genome=(
  [missense]=$genomes/mycobacterium_tuberculosis_NC_000962.3.fa.gz
  [nonsense]=$genomes/mycobacterium_tuberculosis_NC_000962.3.fa.gz
  [splice]=$genomes/drosophila_melanogaster_chr4_NC_004353.4.fa.gz
)
pairs=${PAIRS:-8}
methods=${METHODS:-rope yarn}
few=runs/variant_effect/few
mkdir -p $few $here/results
rm -f $here/results/*.json

score() { # TABLE SET METHOD LENGTHS NAME
  local options=()
  [ "$3" = rope ] || options=(--model.pe.factor 16)
  mgen test --config $here/tiny.yaml --data.variants "$1" --data.fasta "${genome[$2]}" \
    --model.pe "$3" "${options[@]}" --data.lengths "$4" --model.results "$here/results/$5.json"
}

for set in missense nonsense splice; do
  head -n $((1 + 2 * pairs)) $here/$set.tsv > $few/${set}_few.tsv
done
python $here/baselines.py
for set in missense nonsense splice; do
  for method in $methods; do
    score $few/${set}_few.tsv $set "$method" "${LENGTHS:-[512,2048,8192]}" ${set}_few_$method
    score $here/$set.tsv $set "$method" '[512]' ${set}_$method
  done
done
python experiments/long_context/fill_readme.py
