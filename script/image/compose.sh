# Builds and serves compose.yaml with Docker. script/test-image reads this file.
# shellcheck shell=bash

project=songda-test-$$
# Docker chooses free ports. The demonstration in the sandbox's container reaches the API by the name of its service.
export SONGDA_PORT=0 SONGDA_SANDBOX_PORT=0 SONGDA_PUBLIC_URL=http://api:8080
api_url=$SONGDA_PUBLIC_URL
sandbox_url=http://sandbox:8090

compose() { docker compose --project-name "$project" "$@"; }

build() { compose build; }

# in_deployed_image COMMAND…: runs COMMAND in the deployed image. This folder is in /songda, read-only.
in_deployed_image() { docker run --rm --volume "$PWD:/songda:ro" --entrypoint "$1" songda "${@:2}"; }

start() { compose up --detach; }

# inside SERVICE COMMAND…: runs COMMAND in the container of a service.
inside() { compose exec --no-TTY "$@"; }

# resident SERVICE: prints the resident memory of a service in kB.
resident() { inside "$1" sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB$/\1/p' /proc/1/status; }

stop() {
  if (($1 != 0)); then compose logs --no-color --tail 40 >&2; fi
  compose down --volumes --timeout 30 >&2
}
