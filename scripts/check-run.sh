#!/bin/sh
# check-run.sh SGDMFT PROBLEM.yaml READER: the program READER can read what SGDMFT has solved, both the HDF5 and the CSV
# file.
set -eu

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
"$1" solve "$2" --quiet -o "$stage/run.h5" --csv "$stage/run.csv"
"$3" "$stage/run.h5"
"$3" "$stage/run.csv"
