# shellcheck shell=bash
# The stack's certificates, keys and passwords, made anew for each run and gone
# with it.  Sourced by ci/stack, which sets RUN and WORKER_USER.

# secret NAME OWNER TEXT: a file that nobody else can read.
secret() {
    local file=$RUN/secrets/$1
    (umask 077 && printf '%s\n' "$3" >"$file")
    chmod 0400 "$file"
    if is_root; then
        chown "$2" "$file"
    fi
}

make_secrets() {
    local me
    me=$(id -un)
    mkdir -p "$RUN/secrets"
    chmod 0711 "$RUN/secrets"
    secret stripe.key "$me" "sk_test_$(random_hex)"
    secret stripe.whsec "$me" "whsec_$(random_hex)"
    secret generic.key "$me" "gk_test_$(random_hex)"
    secret generic.whsec "$me" "whsec_$(openssl rand -base64 32)"
    secret adyen.key "$me" "AQE$(random_hex 24)"
    secret adyen.whsec "$me" "$(random_hex 32)"
    secret adyen.report "$me" "report@Company.NgxPayments:$(random_hex 16)"
    secret paypal.key "$me" "A$(random_hex 20):E$(random_hex 20)"
    secret paypal.whsec "$me" "$(random_hex 9 | tr '[:lower:]' '[:upper:]')"
    secret square.key "$me" "EAAA$(random_hex 24)"
    secret square.whsec "$me" "$(random_hex 11)"
    secret mollie.key "$me" "test_$(random_hex 15)"
    secret mollie.whsec "$me" "$(random_hex)"
    secret payout-generic.key "$me" "pk_test_$(random_hex)"
    secret payout-generic.whsec "$me" "whsec_$(openssl rand -base64 32)"
    secret payout-stripe.key "$me" "sk_test_$(random_hex)"
    secret payout-stripe.whsec "$me" "whsec_$(random_hex)"
    secret payout-adyen.key "$me" "AQE$(random_hex 16)"
    secret payout-adyen.whsec "$me" "$(random_hex 32)"
    secret payout-pain001.key "$me" "a bank has none"
    secret payout-paypal.key "$me" "client_$(random_hex 8):secret_$(random_hex)"
    secret payout-paypal.whsec "$me" "9J2$(random_hex 7)"
    secret payout-tipalti.key "$me" "client_$(random_hex 8):secret_$(random_hex)"
    secret payout-wise.key "$me" "$(random_hex 18)"
    secret keyring "$me" "k1 $(openssl rand -base64 32)"
    make_audit_key
    make_jwt_key staff
    make_merchant acme
    make_merchant globex
}

# Seals are signed with it; whoever verifies them has its public half.
make_audit_key() {
    "$PAYCTL" audit keygen "$RUN/secrets/audit.pem" >"$RUN/audit.id"
    (umask 022 && "$PAYCTL" audit pubkey "$RUN/secrets/audit.pem" \
        >"$RUN/audit.pub.pem" 2>/dev/null)
}

# The pair that signs tokens, of a merchant or of staff.
make_jwt_key() {
    local private=$RUN/secrets/$1.jwt.key
    (umask 077 && openssl genpkey -algorithm EC -out "$private" \
        -pkeyopt ec_paramgen_curve:P-256 2>/dev/null)
    (umask 077 && openssl pkey -in "$private" -pubout \
        -out "$RUN/secrets/$1.pub")
}

make_merchant() {
    make_jwt_key "$1"
    secret "$1.result" "$(id -un)" "$(openssl rand -base64 32)"
}

# A private CA that signs one leaf; its key is not kept.
make_certificates() {
    local tls=$RUN/tls key=$RUN/secrets/ca.key csr=$RUN/tls/server.csr
    mkdir -p "$tls"
    (
        umask 077
        openssl req -x509 -new -nodes -newkey ec -days 31 \
            -pkeyopt ec_paramgen_curve:P-256 -keyout "$key" \
            -subj "/CN=ngx_payments private CA" \
            -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
            -addext "keyUsage=critical,keyCertSign,cRLSign" \
            -out "$tls/ca.pem"
        openssl req -new -nodes -newkey ec \
            -pkeyopt ec_paramgen_curve:P-256 \
            -keyout "$RUN/secrets/server.key" -subj "/CN=localhost" \
            -out "$csr"
        openssl x509 -req -in "$csr" -CA "$tls/ca.pem" -CAkey "$key" \
            -days 30 -out "$tls/leaf.pem" -extfile <(leaf_extensions)
    ) 2>"$tls/openssl.log" || {
        cat "$tls/openssl.log" >&2
        return 1
    }
    cat "$tls/leaf.pem" "$tls/ca.pem" >"$tls/server.pem"
    chmod 0644 "$tls"/*.pem
    rm -f "$key" "$csr" "$tls/leaf.pem" "$tls/openssl.log"
}

leaf_extensions() {
    say "basicConstraints=critical,CA:FALSE"
    say "keyUsage=critical,digitalSignature"
    say "extendedKeyUsage=serverAuth"
    say "subjectAltName=DNS:localhost,IP:127.0.0.1"
    say "subjectKeyIdentifier=hash"
    say "authorityKeyIdentifier=keyid"
}
