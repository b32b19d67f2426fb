#!/bin/sh
# Makes the certificates of these tests anew, valid for a hundred years; all share one key, which protects nothing.
set -eu
cd "$(dirname "$0")"
openssl ecparam -name prime256v1 -genkey -noout -out key.pem
openssl req -x509 -new -key key.pem -sha256 -days 36500 -subj '/CN=lvsd test authority' -out ca.crt
sign() { # NAME DAYS SUBJECT EXTENSION
  printf '%s\n' "$4" > extension
  openssl req -new -key key.pem -subj "$3" | openssl x509 -req -CA ca.crt -CAkey key.pem -set_serial "$5" \
    -sha256 -days "$2" -extfile extension -out "$1.crt"
  rm extension
}
sign server 36500 /CN=www.example.com 'subjectAltName=DNS:www.example.com,IP:::1,IP:127.0.0.1' 2
sign expired -1 /CN=www.example.com 'subjectAltName=DNS:www.example.com,IP:::1,IP:127.0.0.1' 3
sign other 36500 /CN=www.example.org 'subjectAltName=DNS:www.example.org' 5
sign client 36500 /CN=lvsd 'extendedKeyUsage=clientAuth' 4
cat client.crt key.pem > client.pem
rm client.crt
