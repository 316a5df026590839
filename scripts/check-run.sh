#!/bin/sh
# check-run.sh SGDMFT PROBLEM.yaml READER: a run that SGDMFT has solved is one that READER, a program, can read, be it an
# HDF5 or a CSV file.
set -eu

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
"$1" solve "$2" --quiet -o "$stage/run.h5" --csv "$stage/run.csv"
"$3" "$stage/run.h5"
"$3" "$stage/run.csv"
