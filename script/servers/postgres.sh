# Creates, starts and stops a private PostgreSQL in $home/postgres. Sourced by script/services.
# shellcheck shell=bash

# PostgreSQL refuses to run as root, and the user postgres possibly has no access to the current folder.
as_postgres() ( if ((EUID == 0)); then cd / && runuser -u postgres -- "$@"; else "$@"; fi )

# Creates $home/postgres, or a link to a folder elsewhere if the user postgres has no access here (a clone in /root).
make_postgres_folder() {
  mkdir -p "$home/postgres"
  if ((EUID == 0)); then
    if ! as_postgres test -x "$home/postgres"; then
      rmdir "$home/postgres"
      ln -s "$(mktemp -d /var/tmp/songda.XXXXXX)" "$home/postgres"
    fi
    chown postgres "$home/postgres/."
  fi
  cd "$home/postgres" && pwd -P
}

make_postgres() {
  local folder port password fsync=on connections=200
  if [[ $name == test* ]]; then
    # Tests need no fsync: without it only a power cut loses data, not a killed PostgreSQL.
    fsync=off
    # Four tests run at once. Each has up to five processes with 25 connections, and tests that lose connections leave
    # as many open on PostgreSQL's side.
    connections=1000
  fi
  password=$(secret)
  folder=$(make_postgres_folder)
  (umask 077 && echo "$password" >"$folder/password")
  ((EUID != 0)) || chown postgres "$folder/password"
  as_postgres "$pg_bin/initdb" --pgdata="$folder/data" --username=songda --pwfile="$folder/password" \
    --auth=scram-sha-256 --encoding=UTF8 --no-locale --no-sync >"$folder/initdb.log" 2>&1 ||
    give_up "initdb did not work: see $folder/initdb.log"
  as_postgres tee -a "$folder/data/postgresql.conf" >/dev/null <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = $connections
shared_buffers = 256MB
synchronous_commit = on
fsync = $fsync
END
  for _ in 1 2 3 4 5; do
    script/free-port >"$folder/port"
    if start_postgres; then
      port=$(<"$folder/port")
      PGPASSWORD=$password "$pg_bin/createdb" --host=127.0.0.1 --port="$port" --username=songda songda
      export SONGDA_DATABASE_URL=postgres://songda:$password@127.0.0.1:$port/songda
      return
    fi
  done
  give_up "PostgreSQL does not start: see $folder/log"
}

start_postgres() {
  local folder
  folder=$(cd "$home/postgres" && pwd -P)
  as_postgres "$pg_bin/pg_ctl" start --pgdata="$folder/data" --wait --silent --log="$folder/log" \
    --options="-p $(<"$folder/port")" >/dev/null
}

# stop_postgres [MODE]
stop_postgres() {
  local folder pid
  [[ -s $home/postgres/data/postmaster.pid ]] || return 0
  folder=$(cd "$home/postgres" && pwd -P)
  pid=$(head -n 1 "$folder/data/postmaster.pid")
  # Another process can have this id by now.
  [[ $(command_of "$pid") == *"$folder/data"* ]] || return 0
  as_postgres "$pg_bin/pg_ctl" stop --pgdata="$folder/data" --mode="${1:-fast}" --wait --silent ||
    as_postgres "$pg_bin/pg_ctl" stop --pgdata="$folder/data" --mode=immediate --silent || true
}
