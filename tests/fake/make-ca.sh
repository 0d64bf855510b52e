#!/usr/bin/env bash
# make-ca.sh DIRECTORY [HOST...] - a certificate authority for one test run and a server
# certificate for localhost, 127.0.0.1, ::1 and the hosts named.
# Leaves ca.pem, server.pem and server.key in DIRECTORY. One that is there already is kept.
set -euo pipefail

directory=$1
shift
mkdir -p "$directory"
cd "$directory"
[ ! -f server.pem ] || exit 0

names=DNS:localhost,IP:127.0.0.1,IP:::1
for host in "$@"; do
    names+=",DNS:$host"
done

ec_key() {
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null ||
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null
}

umask 077
ec_key ca.key
openssl req -x509 -new -key ca.key -sha256 -days 2 -subj '/CN=Test authority' -out ca.pem \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign'
ec_key server.key
openssl req -new -key server.key -sha256 -subj '/CN=localhost' -out server.csr
printf '%s\n' "subjectAltName=$names" 'basicConstraints=critical,CA:FALSE' \
    'extendedKeyUsage=serverAuth' > server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days 2 \
    -extfile server.ext -out server.new 2>/dev/null
rm -f server.csr server.ext ca.srl
chmod 644 ca.pem server.new
mv server.new server.pem
