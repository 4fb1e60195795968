#!/bin/sh
# Stands in for sudo: the rest is run as the same user.
while [ $# -gt 0 ]; do
  case "$1" in
    -u | -g | --user | --group) shift 2 ;;
    --)
      shift
      break
      ;;
    -*) shift ;;
    *) break ;;
  esac
done
exec env "$@"
