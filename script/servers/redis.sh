# Private Redis servers, each in the folder of its name in $home: a single one, a set with sentinels, or a cluster. Sourced by
# script/services.
# shellcheck shell=bash

# ask_redis NAME COMMAND…: sends COMMAND to a server and prints the answer.
ask_redis() { REDISCLI_AUTH=$(<"$home/$1/password") redis-cli -p "$(<"$home/$1/port")" "${@:2}" 2>/dev/null; }

# until_redis NAME WORDS COMMAND…: repeats COMMAND until its answer contains WORDS.
until_redis() {
  for _ in {1..200}; do
    if [[ $(ask_redis "$1" "${@:3}") == *"$2"* ]]; then return; fi
    sleep 0.05
  done
  give_up "$1 never says $2: see var/$name/$1/log"
}

# launch_redis NAME PASSWORD SETTINGS: starts a server on a free port. SETTINGS is the function that prints its settings.
launch_redis() {
  local folder=$home/$1
  mkdir -p "$folder"
  (umask 077 && echo "$2" >"$folder/password")
  for _ in 1 2 3 4 5; do
    script/free-port >"$folder/port"
    (umask 077 && { settings_of_any "$folder" && "$3"; } >"$folder/redis.conf")
    if start_redis "$1"; then return; fi
  done
  give_up "Redis does not start: see $folder/log"
}

start_redis() {
  local folder=$home/$1
  case $1 in
    sentinel*) redis-server "$folder/redis.conf" --sentinel ;;
    *) redis-server "$folder/redis.conf" ;;
  esac
  for _ in {1..100}; do
    # Redis writes the pid file only after it listens on the port.
    [[ ! -s $folder/pid || $(ask_redis "$1" ping) != PONG ]] || return 0
    sleep 0.05
  done
  return 1
}

settings_of_any() {
  cat <<END
bind 127.0.0.1
port $(<"$1/port")
requirepass $(<"$1/password")
daemonize yes
dir $1
pidfile $1/pid
logfile $1/log
END
}

settings_of_one() {
  cat <<END
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
END
}

make_redis() {
  launch_redis redis "$(secret)" settings_of_one
  SONGDA_REDIS_URL=redis://default:$(<"$home/redis/password")@$(place_of redis)/0
}

place_of() { echo "127.0.0.1:$(<"$home/$1/port")"; }

# --- A primary, its replica, and three sentinels ---------------------------------------------------------------

make_redis_with_sentinels() {
  local password watch sentinel
  password=$(secret) watch=$(secret)
  launch_redis redis-1 "$password" settings_of_member
  launch_redis redis-2 "$password" settings_of_replica
  for sentinel in sentinel-1 sentinel-2 sentinel-3; do
    launch_redis "$sentinel" "$watch" settings_of_sentinel
    # By default sentinels take seconds to find each other and the replica.
    ask_redis "$sentinel" sentinel debug publish-period 100 info-period 200 >/dev/null
  done
  for sentinel in sentinel-1 sentinel-2 sentinel-3; do
    until_redis "$sentinel" 'OK 3 usable' sentinel ckquorum songda
    until_redis "$sentinel" "$(<"$home/redis-2/port")" sentinel replicas songda
  done
  SONGDA_REDIS_URL="redis+sentinel://default:$password@$(place_of sentinel-1),$(place_of sentinel-2),$(place_of \
    sentinel-3)/songda/0?sentinel_user=default&sentinel_password=$watch"
}

# After a fail-over either server can be the replica.
settings_of_member() { settings_of_one && echo "masterauth $(<"$home/redis-1/password")"; }

settings_of_replica() { settings_of_member && echo "replicaof 127.0.0.1 $(<"$home/redis-1/port")"; }

# Tests wait for a fail-over, so make it quick.
settings_of_sentinel() {
  cat <<END
sentinel sentinel-pass $(<"$home/sentinel-1/password")
sentinel monitor songda 127.0.0.1 $(<"$home/redis-1/port") 2
sentinel auth-pass songda $(<"$home/redis-1/password")
sentinel down-after-milliseconds songda 500
sentinel failover-timeout songda 1000
END
}

# --- A cluster of three primaries ------------------------------------------------------------------------------

make_redis_cluster() {
  local password node
  password=$(secret)
  for node in redis-1 redis-2 redis-3; do
    launch_redis "$node" "$password" settings_of_node
  done
  REDISCLI_AUTH=$password redis-cli --cluster create "$(place_of redis-1)" "$(place_of redis-2)" "$(place_of redis-3)" \
    --cluster-yes >"$home/cluster.log" || give_up "no cluster: see var/$name/cluster.log"
  for node in redis-1 redis-2 redis-3; do
    until_redis "$node" cluster_state:ok cluster info
  done
  SONGDA_REDIS_URL=redis+cluster://default:$password@$(place_of redis-1),$(place_of redis-2),$(place_of redis-3)
}

# With this setting the other nodes go on while one node is down.
settings_of_node() {
  settings_of_one
  cat <<END
cluster-enabled yes
cluster-port $(script/free-port)
cluster-node-timeout 1000
cluster-require-full-coverage no
END
}

# --- Stopping --------------------------------------------------------------------------------------------------

stop_redis() {
  local folder=$home/$1
  [[ -s $folder/pid ]] || return 0
  signal_redis CONT "$1"
  # Only our server accepts the password. It removes its pid file when it ends.
  ask_redis "$1" shutdown nosave now >/dev/null || return 0
  for _ in {1..100}; do
    [[ -e $folder/pid ]] || return 0
    sleep 0.1
  done
}

kill_redis() {
  local pid
  pid=$(<"$home/$1/pid")
  signal_redis KILL "$1"
  while [[ -n $(command_of "$pid") ]]; do sleep 0.01; done
  rm "$home/$1/pid"
}

# signal_redis SIGNAL NAME: signals the process, if it is still our server.
signal_redis() {
  local pid
  pid=$(<"$home/$2/pid")
  case $(command_of "$pid") in
    *redis-server*"127.0.0.1:$(<"$home/$2/port")"* | *redis-server*"$home/$2/redis.conf"*) kill "-$1" "$pid" ;;
  esac
}

# The sentinels stop first, because they would treat the stop of a server as a failure.
stop_all_redis() {
  local folder
  for folder in "$home"/sentinel* "$home"/redis*; do
    stop_redis "${folder##*/}"
  done
}
