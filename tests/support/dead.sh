# Makes a network of its own in which 2001:db8::2 takes packets and never answers, 192.0.2.0/24 is unreachable, and
# both.test has a dead address of IPv6 and a living one of IPv4. Then runs the program with each target in turn.
# usage: unshare -Urnm sh dead.sh PROGRAM FOLDER
program=$1
cd "$2" || exit 1
prepare() {
    ip link set lo up &&
        ip link add v0 type veth peer name v1 &&
        ip link set v0 up &&
        ip link set v1 up &&
        ip -6 addr add 2001:db8::1/64 dev v0 nodad &&
        ip -6 neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev v0 &&
        ip route add unreachable 192.0.2.0/24 &&
        printf '127.0.0.1 localhost both.test\n2001:db8::2 both.test\n' >hosts &&
        : >resolv &&
        mount --bind hosts /etc/hosts &&
        mount --bind resolv /etc/resolv.conf
}
prepare || {
    echo "no namespace"
    exit 0
}
name_server() { echo "nameserver $1" >resolv; }
dial() {
    echo "dial $*"
    "$program" --headless --connect-timeout 2s "$@" </dev/null 2>&1
    echo "status $?"
}
"$program" listen 127.0.0.1:7070 --headless --send hello </dev/null >listening 2>&1 &
until grep -q "listening on" listening; do kill -0 $! || exit 1; sleep 0.02; done
dial --format jsonl --count 1 both.test:7070
dial --format none 192.0.2.1:80
dial --format none 203.0.113.1:80
dial --format none '[2001:db8::2]:80'
dial --format none 127.0.0.1:80
name_server 127.0.0.1
dial --format none name.test:80
name_server 2001:db8::2
dial --format none name.test:80
dial --format none -6 127.0.0.1:80
kill $!
