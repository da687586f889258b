#!/bin/bash
# A sweep as a job array of PBS (OpenPBS, PBS Professional). Edit WORDS, COUNT and the lines with #PBS, then:
#
#   fits=$(qsub pbs.sh)                                                    # no array: the fits, made once
#   shards=$(qsub -J 1-16 -W depend=afterok:$fits pbs.sh)
#   echo "cd $PWD && mlopsim merge sweep/shards/* --out sweep/all" | qsub -W depend=afterany:$shards
#
# A shard that failed or was lost goes on: qsub -v NUMBER=7 pbs.sh
#PBS -N mlopsim
#PBS -l select=1:ncpus=4:mem=8gb
#PBS -l walltime=04:00:00
#PBS -r y
set -euo pipefail

# what is run: the same words in every job
WORDS=(suite=delivery-core)
# how many shards there are, also where a job repeats one of them
COUNT=${COUNT:-16}
NUMBER=${NUMBER:-${PBS_ARRAY_INDEX:-0}}
WORKERS=${NCPUS:-1}
# a folder that every machine sees, and seconds between two copies to it
SHARED=${SHARED:-$PBS_O_WORKDIR/sweep}
EVERY=${EVERY:-600}

# -- from here on the same in every template --------------------------------------------------------
# SQLite's log does not work on network disks: a job writes on its own machine, whole copies travel.
LOCAL=$(mktemp -d "${TMPDIR:-/tmp}/mlopsim-XXXXXXXX")
if [ "$NUMBER" = 0 ]; then
    HERE=$LOCAL/fits THERE=$SHARED/fits
    PART=(--fits-only)
else
    HERE=$LOCAL/shard THERE=$SHARED/shards/$NUMBER
    cp -r "$SHARED/fits" "$LOCAL/fits"
    PART=("shard=$NUMBER/$COUNT" "fits=$LOCAL/fits")
fi
# go on where an earlier job ended
if [ -d "$THERE" ]; then cp -r "$THERE" "$HERE"; fi

# what is done so far, as it is at this moment, replaces the copy at once or not at all
keep() {
    if [ -f "$HERE/ledger.sqlite" ]; then mlopsim merge "$HERE" --out "$THERE"; fi
}

mlopsim bench "${WORDS[@]}" "${PART[@]}" "results=$HERE" "workers=$WORKERS" --no-report &
RUN=$!
trap 'kill -TERM "$RUN" || true' TERM
while kill -0 "$RUN" 2> /dev/null; do
    # until it ends or it is time for a copy; a signal ends the waiting, too
    timeout "$EVERY" tail --pid="$RUN" -f /dev/null &
    wait "$!" || true
    keep || true
done
STATUS=0
wait "$RUN" || STATUS=$?
keep
rm -rf "$LOCAL"
exit "$STATUS"
