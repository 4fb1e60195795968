#!/bin/sh
# Stands in for {{NAME}}. The sandbox does what the real one would and notes what was asked.
SANDBOX_PROGRAM={{URL}} exec {{NODE}} {{CALLER}} "$@"
