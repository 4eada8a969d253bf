# Builds and serves what compose.yaml starts, without a container engine or an image registry. script/test-image reads this
# file.
#
# buildah builds in a chroot, which needs root but no kernel feature that a virtual machine can lack. The base images
# are made here: Debian with debootstrap, and Rust from that image and this machine's toolchain. PostgreSQL and Redis
# are the private ones of script/services, and all processes share this machine's network. Everything is in var/image:
# the base images and the files that cargo downloaded and built stay there for the next run.
# shellcheck shell=bash

readonly home=$PWD/var/image
debian=docker.io/library/$(sed -n 's/^FROM \(debian:[^ ]*\).*/\1/p' Dockerfile)
rust=docker.io/library/$(sed -n 's/^FROM \(rust:[^ ]*\).*/\1/p' Dockerfile)
readonly debian rust

((EUID == 0)) || { echo "FAIL without Docker script/test-image must be run by root" >&2; exit 69; }
for needed in buildah debootstrap; do
  command -v "$needed" >/dev/null || { echo "FAIL there is neither Docker nor $needed here (apt-get install $needed)" >&2; exit 69; }
done
if [[ -z ${SONGDA_DATABASE_URL:-} || -z ${SONGDA_REDIS_URL:-} ]]; then
  exec script/services image-services script/test-image "$@"
fi

mkdir -p "$home/tmp"
export TMPDIR=$home/tmp # buildah keeps the Dockerfile's caches there
image() { buildah --root "$home/storage" --runroot "$home/run" --storage-driver overlay "$@"; }

# --- Building --------------------------------------------------------------------------------------------------

has_image() { image inspect --type image "$1" >/dev/null 2>&1; }

make_debian() {
  local container
  say "making $debian by debootstrap"
  rm -rf "$home/debian"
  debootstrap --variant=minbase bookworm "$home/debian" >&2
  container=$(image from scratch)
  image add --quiet "$container" "$home/debian" / >&2
  image commit --quiet --rm "$container" "$debian" >&2
  rm -rf "$home/debian"
}

make_rust() {
  local container sysroot
  sysroot=$(rustc --print sysroot)
  say "making $rust from it and $(rustc --version)"
  container=$(image from --pull-never "$debian")
  image run --isolation chroot "$container" -- sh -c 'apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends \
    ca-certificates g++ make' >&2
  image add --quiet "$container" "$sysroot/bin" /usr/local/bin >&2
  image add --quiet "$container" "$sysroot/lib" /usr/local/lib >&2
  # cargo trusts the certificates that this machine trusts.
  image add --quiet "$container" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt >&2
  image config --env CARGO_HOME=/usr/local/cargo "$container"
  image commit --quiet --rm "$container" "$rust" >&2
}

build() {
  has_image "$debian" || make_debian
  has_image "$rust" || make_rust
  image build --isolation chroot --pull-never --layers --tag songda:development --target development . >&2
  image build --isolation chroot --pull-never --layers --tag songda . >&2
  image images >&2
}

# in_deployed_image COMMAND…: runs COMMAND in the deployed image. This folder is in /songda, read-only.
in_deployed_image() {
  local container
  container=$(image from --pull-never songda)
  image run --isolation chroot --volume "$PWD:/songda:ro" "$container" -- "$@"
  image rm "$container" >/dev/null
}

# --- Serving ---------------------------------------------------------------------------------------------------

api_url=http://127.0.0.1:$(script/free-port)
sandbox_url=http://127.0.0.1:$(script/free-port)
api_watch=127.0.0.1:$(script/free-port)
worker_watch=127.0.0.1:$(script/free-port)

# The settings of compose.yaml, with the addresses of this machine.
settings() {
  cat <<END
SONGDA_DATABASE_URL=$SONGDA_DATABASE_URL
SONGDA_REDIS_URL=$SONGDA_REDIS_URL
SONGDA_KEYS=/var/lib/songda/keys
SONGDA_PUBLIC_URL=$api_url
SONGDA_LISTEN=${api_url#http://}
SONGDA_SANDBOX_LISTEN=${sandbox_url#http://}
SONGDA_SANDBOX_CALLBACK_URL=$api_url
SONGDA_ALLOW=$(sed -n 's/^ *SONGDA_ALLOW: //p' compose.yaml)
END
  sed "/^#/d; s#http://sandbox:8090#$sandbox_url#" script/sandbox.env
}

# inside SERVICE COMMAND…: runs COMMAND in the container of a service.
inside() {
  local container=songda-deployed watch=$api_watch set=() line
  case $1 in
    migrate | sandbox) container=songda-development ;;
    worker) watch=$worker_watch ;;
  esac
  while read -r line; do set+=(--env "$line"); done < <(settings)
  image run --isolation chroot "${set[@]}" --env "SONGDA_WATCH_LISTEN=$watch" \
    --volume "$home/volume:/var/lib/songda" "$container" -- "${@:2}"
}

declare -A started
start_service() {
  inside "$1" songda "$2" >"$home/$1.log" 2>&1 &
  started[$1]=$!
}

start() {
  local migrate
  rm -rf "$home/volume" && mkdir "$home/volume" && chown 10001 "$home/volume"
  image from --pull-never --name songda-deployed songda >/dev/null
  image from --pull-never --name songda-development songda:development >/dev/null
  migrate=$(sed -nE 's/^ *entrypoint: \[sh, -c, "(.*)"\]$/\1/p' compose.yaml)
  inside migrate sh -c "$migrate" >&2
  start_service sandbox sandbox
  start_service api serve
  start_service worker work
}

# Finds the program that buildah runs for a service: the last in the chain of child processes.
program_of() {
  local process=${started[$1]} child
  while child=$(pgrep --parent "$process"); do process=$child; done
  echo "$process"
}

# resident SERVICE: prints the resident memory of a service in kB.
resident() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB$/\1/p' "/proc/$(program_of "$1")/status"; }

# buildah does not pass signals on, so the programs get the signals directly.
stop() {
  local service
  for service in "${!started[@]}"; do kill -TERM "$(program_of "$service")" 2>/dev/null || true; done
  for service in "${!started[@]}"; do
    wait "${started[$service]}" || say "$service ended with status $?"
    if (($1 != 0)); then echo "== $service" && tail -n 40 "$home/$service.log"; fi >&2
  done
  image rm songda-deployed songda-development >/dev/null 2>&1 || true
  rm -rf "$home/volume"
}
