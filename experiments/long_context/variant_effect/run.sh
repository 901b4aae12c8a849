#!/usr/bin/env bash
# AUROC of every set: baselines, then methods at 512 nt on all variants and at growing windows on few.
# About half an hour of one core. Finished results stay: delete results/ to start anew.
# Others: PAIRS=50 METHODS="rope yarn pi" LENGTHS='[512,4096]'
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
few=runs/variant_effect/few
mkdir -p $few $here/results

score() { # TABLE SET METHOD LENGTHS NAME
  [ -e "$here/results/$5.json" ] || mgen test --config $here/tiny.yaml --data.variants "$1" \
    --data.fasta "${genome[$2]}" --model.pe "$3" --data.lengths "$4" \
    --model.results "$here/results/$5.json"
}

for set in missense nonsense splice; do
  head -n $((1 + 2 * pairs)) $here/$set.tsv > $few/${set}_few.tsv
done
python $here/baselines.py
for set in missense nonsense splice; do
  for method in ${METHODS:-rope pi ntk yarn gene clex helix}; do
    score $here/$set.tsv $set "$method" '[512]' ${set}_$method
    score $few/${set}_few.tsv $set "$method" "${LENGTHS:-[512,2048]}" ${set}_few_$method
  done
done
python experiments/long_context/fill_readme.py
