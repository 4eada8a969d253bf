# Finds PostgreSQL and Redis, and installs them if they are missing. Sourced by script/services.
# shellcheck shell=bash

# Sets pg_bin to the folder with the programs of the newest PostgreSQL, 15 or newer.
find_postgres() {
  local folder version best=0
  for folder in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
    "$(dirname "$(command -v initdb || echo .)")"; do
    [[ -x $folder/postgres && -x $folder/initdb && -x $folder/createdb ]] || continue
    version=$("$folder/postgres" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
    if ((version >= 15 && version > best)); then
      best=$version pg_bin=$folder
    fi
  done
  ((best > 0))
}

find_redis() {
  command -v redis-server >/dev/null && command -v redis-cli >/dev/null || return 1
  (($(redis-server --version | sed -E 's/.* v=([0-9]+).*/\1/') >= 7))
}

as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }

# Debian starts a service when it installs it, and creates a database cluster. This prevents both, and also that a service
# which was installed here starts at the next boot.
apt_install() (
  local refuse=/usr/sbin/policy-rc.d clusters=/etc/postgresql-common/createcluster.d held=()
  trap '((${#held[@]} == 0)) || as_root rm -f "${held[@]}"' EXIT
  as_root mkdir -p "$clusters"
  echo 'create_main_cluster = false' | as_root tee "$clusters/songda.conf" >/dev/null
  held+=("$clusters/songda.conf")
  if [[ ! -e $refuse ]]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$refuse" >/dev/null
    as_root chmod +x "$refuse"
    held+=("$refuse")
  fi
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
  if [[ " $* " == *" redis-server "* && -d /run/systemd/system ]]; then
    as_root systemctl disable redis-server >&2
  fi
)

# install DEBIAN_PACKAGE HOMEBREW_FORMULA
install() {
  say "installing $1"
  case $(uname -s) in
    Darwin)
      command -v brew >/dev/null || return 1
      brew install "$2" >&2
      ;;
    *)
      command -v apt-get >/dev/null || return 1
      apt_install "$1"
      ;;
  esac
}

need_postgres() {
  find_postgres || { install postgresql postgresql@17 && find_postgres; } ||
    give_up "PostgreSQL 15 or newer is needed: install it, or set SONGDA_DATABASE_URL"
}

need_redis() {
  find_redis || { install redis-server redis && find_redis; } ||
    give_up "Redis 7 or newer is needed: install it, or set SONGDA_REDIS_URL"
}
