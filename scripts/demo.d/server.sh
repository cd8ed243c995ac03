# shellcheck shell=bash
# The server of the demo, on this machine: an SSH server of its own on 127.0.0.1, whose repositories
# are on a ZFS pool of its own in a file. What this machine has no means for is done without, and the
# demo says why. Nothing of the system's configuration is read or changed.
#
# Expects `folder`; gives
#   remote        whether there is an SSH server
#   pool          the name of the pool; empty without one
#   server_notes  what is as it is, and why

remote= pool= sshd= sshd_pid= zfs_daemon=
server_notes=()
server=$folder/server
ssh_folder=$folder/ssh

# Whether a command works; else what it said first is in `complaint`.
works() {
    if complaint=$("$@" 2>&1); then complaint=; return 0; fi
    complaint=${complaint%%$'\n'*}
    return 1
}

server_start() {
    mkdir "$server" "$ssh_folder"
    if ssh_start; then
        remote=yes
        server_notes+=("an SSH server of its own, on 127.0.0.1 port $ssh_port")
    else
        server_notes+=("no SSH server ($complaint): alice and bob use the directory itself")
    fi
    if pool_make; then
        server_notes+=("a ZFS pool of its own, $pool, in the file $folder/pool.img")
    else
        server_notes+=("no ZFS pool ($complaint): the repository is a plain directory")
    fi
}

# Stops all of it. The file of the pool stays, and can be imported.
server_end() {
    ssh_stop
    if [ -n "$pool" ]; then
        local attempt
        for attempt in $(seq 50); do
            ! works zpool export "$pool" || break
            sleep 0.1
        done
        [ -z "$complaint" ] || echo "the pool $pool could not be exported: $complaint" >&2
        pool=
    fi
    [ -z "$zfs_daemon" ] || { kill "$zfs_daemon" 2>/dev/null || true; wait "$zfs_daemon" 2>/dev/null || true; }
    zfs_daemon=
}

# What ends it, and another process, when this one is gone.
server_stop_command() {
    local command="kill $1${sshd_pid:+ $sshd_pid}"
    [ -z "$pool" ] || command+=" && zpool export $pool"
    [ -z "$zfs_daemon" ] || command+=" && kill $zfs_daemon"
    echo "$command"
}

ssh_start() {
    local tool
    case $folder in *[[:space:]\"]*) complaint="$folder has a blank in it"; return 1 ;; esac
    for tool in ssh ssh-keygen; do
        command -v "$tool" >/dev/null || { complaint="no $tool, see the package openssh-client"; return 1; }
    done
    # It insists on being called by its whole path.
    sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) || { complaint="no sshd, see the package openssh-server"; return 1; }
    # Where it separates its privileges; nobody makes the directory where no service is started.
    [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N "" -C server -f "$ssh_folder/host"
    ssh_port=$(free_port 2222)
    cat > "$ssh_folder/sshd_config" <<TXT
Port $ssh_port
ListenAddress 127.0.0.1
HostKey $ssh_folder/host
PidFile none
AuthorizedKeysFile $ssh_folder/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
TXT
    printf 'server %s\n' "$(cat "$ssh_folder/host.pub")" > "$ssh_folder/known_hosts"
    : > "$ssh_folder/authorized_keys"
    ssh_again || return 1
    # Whoever has no shell can't be logged in.
    ssh_key check true
    works ssh -F "$ssh_folder/check.config" server || { complaint="a login does not work: $complaint"; ssh_stop; return 1; }
}

# Starts the SSH server, also once more.
ssh_again() {
    "$sshd" -D -f "$ssh_folder/sshd_config" -E "$ssh_folder/log" </dev/null >/dev/null 2>&1 &
    sshd_pid=$!
    for _ in $(seq 100); do
        ! (exec 3<>"/dev/tcp/127.0.0.1/$ssh_port") 2>/dev/null || return 0
        kill -0 "$sshd_pid" 2>/dev/null || break
        sleep 0.1
    done
    complaint="sshd does not start$(sed -n '$s/^/: /p' "$ssh_folder/log" 2>/dev/null)"
    ssh_stop
    return 1
}

ssh_stop() {
    [ -z "$sshd_pid" ] || { kill "$sshd_pid" 2>/dev/null || true; wait "$sshd_pid" 2>/dev/null || true; }
    sshd_pid=
}

# Gives a person a key that may do what the role says, and nothing else.
ssh_admit() {
    ssh_key "$1" "$folder/dsg serve --stdio --root $server --role $2 --user $1@example.org"
}

# A key that starts this command whatever is asked for, and the configuration to use it.
ssh_key() {
    local name=$1 command=$2
    ssh-keygen -q -t ed25519 -N "" -C "$name" -f "$ssh_folder/$name"
    printf 'restrict,command="%s" %s\n' "$command" "$(cat "$ssh_folder/$name.pub")" >> "$ssh_folder/authorized_keys"
    cat > "$ssh_folder/$name.config" <<TXT
Host server
HostName 127.0.0.1
Port $ssh_port
User $(id -un)
IdentityFile $ssh_folder/$name
IdentitiesOnly yes
HostKeyAlias server
UserKnownHostsFile $ssh_folder/known_hosts
StrictHostKeyChecking yes
BatchMode yes
LogLevel ERROR
TXT
}

pool_make() {
    PATH=$PATH:/usr/sbin:/sbin
    command -v zpool >/dev/null || { complaint="no zpool, see the package zfsutils-linux or zfs-fuse"; return 1; }
    [ "$(id -u)" = 0 ] || { complaint="only root can make one"; return 1; }
    works zpool list || zfs_daemon_start || return 1
    truncate -s 512M "$folder/pool.img"
    local name=dsgdemo$$
    if ! works zpool create -o cachefile=none -m "$server" "$name" "$folder/pool.img"; then
        rm -f "$folder/pool.img"
        return 1
    fi
    pool=$name
}

# ZFS in user space, where there is none in the kernel.
zfs_daemon_start() {
    local said=$complaint
    command -v zfs-fuse >/dev/null || return 1
    mkdir -p /var/run/zfs /var/lock/zfs
    (cd / && exec zfs-fuse --no-daemon) </dev/null >/dev/null 2>&1 &
    zfs_daemon=$!
    for _ in $(seq 100); do
        ! works zpool list || return 0
        kill -0 "$zfs_daemon" 2>/dev/null || break
        sleep 0.1
    done
    complaint=$said
    kill "$zfs_daemon" 2>/dev/null || true
    zfs_daemon=
    return 1
}
