/*
 * The signed proof of an order, see pay_proof.h.  The file is the document, the
 * id of the key and the signature, in one spelling:
 *    {"proof":DOCUMENT,"key_id":"16 hex digits","signature":"88 of base64"}
 * with a line feed behind.  So its end has a fixed length, and there is no byte
 * that is neither signed nor compared.
 */

#include "pay_proof.h"

#include <string.h>


#define PROOF_KEY      ",\"key_id\":\""
#define PROOF_SIGNED   "\",\"signature\":\""
#define PROOF_END      "\"}\n"
#define PROOF_BASE64   88              /* characters of a signature */
#define PROOF_LENGTH(literal)  (sizeof(literal) - 1)
#define PROOF_TAIL                                                            \
    (PROOF_LENGTH(PROOF_KEY) + PAY_ED25519_KEY_ID                             \
     + PROOF_LENGTH(PROOF_SIGNED) + PROOF_BASE64 + PROOF_LENGTH(PROOF_END))

typedef struct {
    pay_arena_t            *arena;
    const pay_audit_key_t  *keys;
    size_t                  key_count;
    pay_proof_t            *proof;
    pay_err_t              *err;
    int64_t                 seq;       /* of the last event, or anchor */
    unsigned char           hash[PAY_SHA256_SIZE];     /* its hash */
    int                     is_begun;  /* there was one */
    const pay_json_t       *seals;
} proof_check_t;


static pay_status_t proof_wrong(proof_check_t *check, const char *why);
static int proof_takes(pay_str_t *text, const char *literal);
static const pay_audit_key_t *proof_key(const proof_check_t *check,
    pay_str_t id);
static pay_status_t proof_signature(proof_check_t *check, pay_str_t text,
    pay_str_t *document);
static pay_status_t proof_read(proof_check_t *check, pay_str_t document);
static pay_status_t proof_event(proof_check_t *check,
    const pay_json_t *value);
static pay_status_t proof_row(proof_check_t *check,
    const pay_audit_row_t *row);
static pay_status_t proof_leaves(proof_check_t *check,
    const pay_audit_row_t *row);
static pay_status_t proof_seal(proof_check_t *check, const pay_json_t *entry,
    const pay_audit_row_t *event);
static pay_status_t proof_root(proof_check_t *check, const pay_json_t *path,
    const pay_audit_row_t *leaf, uint64_t leaves,
    unsigned char root[PAY_SHA256_SIZE]);
static pay_status_t proof_line(proof_check_t *check, const pay_json_t *entry,
    const char *member, pay_audit_kind_t kind, pay_audit_row_t *row);


static const pay_json_limits_t  limits = {
    PAY_PROOF_MAX, 24, 65536, 1024 * 1024
};


pay_status_t
pay_proof_sign(pay_arena_t *arena, pay_str_t document,
    const pay_secret_t *key, pay_str_t *text)
{
    char           id[PAY_ED25519_KEY_ID + 1];
    pay_buf_t      buf;
    pay_str_t      base64;
    unsigned char  public_key[PAY_ED25519_KEY];
    unsigned char  signature[PAY_ED25519_SIGNATURE];

    PAY_TRY(pay_ed25519_public(key, public_key));
    PAY_TRY(pay_ed25519_key_id(public_key, id));
    PAY_TRY(pay_ed25519_sign(key, document, signature));
    PAY_TRY(pay_base64_encode(arena, (pay_str_t) { sizeof(signature),
                                                   signature }, &base64));

    pay_buf_init(&buf, arena, PAY_PROOF_MAX);
    pay_buf_text(&buf, PAY_PROOF_HEAD);
    pay_buf_add(&buf, document);
    pay_buf_text(&buf, PROOF_KEY);
    pay_buf_text(&buf, id);
    pay_buf_text(&buf, PROOF_SIGNED);
    pay_buf_add(&buf, base64);
    pay_buf_text(&buf, PROOF_END);

    return pay_buf_done(&buf, text);
}


pay_status_t
pay_proof_open(pay_arena_t *arena, pay_str_t text,
    const pay_audit_key_t *keys, size_t count, pay_str_t *document,
    pay_err_t *err)
{
    proof_check_t  check = {
        .arena = arena, .keys = keys, .key_count = count, .err = err
    };

    return proof_signature(&check, text, document);
}


pay_status_t
pay_proof_check(pay_arena_t *arena, pay_str_t text,
    const pay_audit_key_t *keys, size_t count, pay_proof_t *proof,
    pay_err_t *err)
{
    pay_str_t       document;
    pay_status_t    status;
    proof_check_t   check = {
        .arena = arena, .keys = keys, .key_count = count, .proof = proof,
        .err = err
    };

    memset(proof, 0, sizeof(pay_proof_t));
    status = proof_signature(&check, text, &document);

    if (status == PAY_OK) {
        status = proof_read(&check, document);
    }

    if (status != PAY_OK) {
        pay_proof_free(proof);
    }

    return status;
}


void
pay_proof_free(pay_proof_t *proof)
{
    pay_json_free(proof->json);
    proof->json = NULL;
}


static pay_status_t
proof_wrong(proof_check_t *check, const char *why)
{
    check->err->detail = why;

    return PAY_INVALID;
}


static pay_status_t
proof_signature(proof_check_t *check, pay_str_t text, pay_str_t *document)
{
    pay_str_t               rest, id, base64, signature;
    const pay_audit_key_t  *key;

    rest = text;

    if (text.len > PAY_PROOF_MAX || !proof_takes(&rest, PAY_PROOF_HEAD)
        || rest.len < PROOF_TAIL)
    {
        return proof_wrong(check, "it is no proof, or a part of one");
    }

    *document = (pay_str_t) { rest.len - PROOF_TAIL, rest.data };
    rest.data += document->len;
    rest.len -= document->len;

    if (!proof_takes(&rest, PROOF_KEY)) {
        return proof_wrong(check, "its end was changed");
    }

    id = (pay_str_t) { PAY_ED25519_KEY_ID, rest.data };
    rest.data += id.len;
    rest.len -= id.len;

    if (!proof_takes(&rest, PROOF_SIGNED)) {
        return proof_wrong(check, "its end was changed");
    }

    base64 = (pay_str_t) { PROOF_BASE64, rest.data };
    rest.data += base64.len;
    rest.len -= base64.len;

    if (!proof_takes(&rest, PROOF_END) || rest.len != 0) {
        return proof_wrong(check, "its end was changed");
    }

    key = proof_key(check, id);
    if (key == NULL) {
        return proof_wrong(check, "it is signed with a key that was not given");
    }

    if (pay_base64_decode(check->arena, base64, &signature) != PAY_OK
        || signature.len != PAY_ED25519_SIGNATURE)
    {
        return proof_wrong(check, "its signature was changed");
    }

    return pay_ed25519_verify(key->key, *document, signature) == PAY_OK
           ? PAY_OK
           : proof_wrong(check, "it was changed: the signature is not over"
                         " these bytes");
}


/* Behind the literal, if the text begins with it. */
static int
proof_takes(pay_str_t *text, const char *literal)
{
    size_t  len = strlen(literal);

    if (text->len < len || memcmp(text->data, literal, len) != 0) {
        return 0;
    }

    text->data += len;
    text->len -= len;

    return 1;
}


static const pay_audit_key_t *
proof_key(const proof_check_t *check, pay_str_t id)
{
    size_t  i;

    for (i = 0; i < check->key_count; i++) {
        if (pay_str_is(id, check->keys[i].id)) {
            return &check->keys[i];
        }
    }

    return NULL;
}


static pay_status_t
proof_read(proof_check_t *check, pay_str_t document)
{
    size_t             i;
    pay_err_t          ignored;
    pay_proof_t       *proof = check->proof;
    const pay_json_t  *log;

    if (pay_json_parse(document, &limits, &proof->json, &ignored) != PAY_OK) {
        proof->json = NULL;
        return proof_wrong(check, "its document is no JSON");
    }

    log = pay_json_get(proof->json, "log");
    check->seals = pay_json_get(proof->json, "seals");

    if (pay_json_string(pay_json_get(proof->json, "merchant_id"),
                        &proof->merchant_id) != PAY_OK
        || pay_json_string(pay_json_get(proof->json, "payment_order_id"),
                           &proof->payment_order_id) != PAY_OK
        || pay_json_string(pay_json_get(proof->json, "made_at"),
                           &proof->made_at) != PAY_OK
        || pay_json_type(log) != PAY_JSON_ARRAY
        || pay_json_type(check->seals) != PAY_JSON_ARRAY)
    {
        return proof_wrong(check, "its document has not the members of a"
                           " proof");
    }

    for (i = 0; i < pay_json_size(log); i++) {
        PAY_TRY(proof_event(check, pay_json_at(log, i)));
    }

    if (proof->events == 0) {
        return proof_wrong(check, "it has no event");
    }

    return proof->seals == pay_json_size(check->seals)
           ? PAY_OK : proof_wrong(check, "a seal is over none of its events");
}


/* Lines are those of an export of the log. */
static pay_status_t
proof_event(proof_check_t *check, const pay_json_t *value)
{
    pay_err_t         ignored;
    pay_str_t         line;
    pay_status_t      status;
    pay_audit_row_t   row;

    if (pay_json_string(value, &line) != PAY_OK
        || pay_audit_parse(line, &row, &ignored) != PAY_OK)
    {
        return proof_wrong(check, "a line of its log cannot be read");
    }

    status = proof_row(check, &row);
    pay_audit_row_free(&row);

    return status;
}


static pay_status_t
proof_row(proof_check_t *check, const pay_audit_row_t *row)
{
    unsigned char  hash[PAY_SHA256_SIZE];

    if (!pay_str_eq(row->merchant_id, check->proof->merchant_id)
        || !pay_str_eq(row->payment_order_id, check->proof->payment_order_id))
    {
        return proof_wrong(check, "its log is of another order");
    }

    if (row->kind == PAY_AUDIT_ANCHOR && !check->is_begun) {
        check->is_begun = 1;
        check->seq = row->seq;
        memcpy(check->hash, row->hash, sizeof(check->hash));
        return PAY_OK;
    }

    if (row->kind != PAY_AUDIT_EVENT || row->seq != check->seq + 1) {
        return proof_wrong(check, "an event is missing in its log");
    }

    PAY_TRY(pay_audit_event_hash(row, check->is_begun ? check->hash : NULL,
                                 hash));

    if (memcmp(hash, row->hash, sizeof(hash)) != 0) {
        return proof_wrong(check, "an event does not give its hash");
    }

    check->is_begun = 1;
    check->seq = row->seq;
    memcpy(check->hash, hash, sizeof(hash));
    check->proof->events++;

    return proof_leaves(check, row);
}


/* A leaf is an order's newest event in its seal, and covers all before it. */
static pay_status_t
proof_leaves(proof_check_t *check, const pay_audit_row_t *row)
{
    size_t            i;
    pay_status_t      status;
    pay_audit_row_t   leaf;

    for (i = 0; i < pay_json_size(check->seals); i++) {
        PAY_TRY(proof_line(check, pay_json_at(check->seals, i), "leaf",
                           PAY_AUDIT_LEAF, &leaf));
        status = PAY_OK;

        if (leaf.seq == row->seq) {
            status = pay_str_eq(leaf.merchant_id, row->merchant_id)
                     && pay_str_eq(leaf.payment_order_id,
                                   row->payment_order_id)
                     && memcmp(leaf.hash, row->hash, sizeof(leaf.hash)) == 0
                     ? proof_seal(check, pay_json_at(check->seals, i), &leaf)
                     : proof_wrong(check, "a leaf is of another event");
        }

        pay_audit_row_free(&leaf);
        PAY_TRY(status);
    }

    return PAY_OK;
}


static pay_status_t
proof_seal(proof_check_t *check, const pay_json_t *entry,
    const pay_audit_row_t *leaf)
{
    pay_str_t               signature;
    pay_status_t            status = PAY_OK;
    unsigned char           root[PAY_SHA256_SIZE];
    pay_audit_row_t         seal;
    pay_audit_message_t     message;
    const pay_audit_key_t  *key;

    PAY_TRY(proof_line(check, entry, "seal", PAY_AUDIT_SEAL, &seal));

    key = proof_key(check, seal.seal.key_id);
    signature = (pay_str_t) { PAY_ED25519_SIGNATURE, seal.seal.signature };

    if (key == NULL) {
        status = proof_wrong(check, "a seal is signed with a key that was not"
                             " given");

    } else if (!seal.seal.is_signed
               || pay_ed25519_verify(key->key, seal.seal.message, signature)
                  != PAY_OK
               || pay_audit_message_read(seal.seal.message, &message)
                  != PAY_OK
               || message.number != seal.number
               || leaf->number != seal.number)
    {
        status = proof_wrong(check, "a seal has no valid signature");

    } else {
        status = proof_root(check, pay_json_get(entry, "path"), leaf,
                            message.leaves, root);

        if (status == PAY_OK
            && memcmp(root, message.root, sizeof(root)) != 0)
        {
            status = proof_wrong(check, "a path does not lead to the root of"
                                 " its seal");
        }
    }

    pay_audit_row_free(&seal);

    if (status == PAY_OK) {
        check->proof->seals++;
        check->proof->sealed = check->proof->events;
    }

    return status;
}


/* RFC 9162 2.1.3.2: `at` is the leaf's place among `size` nodes of a level, of
 * which the last goes up alone when it has no neighbour. */
static pay_status_t
proof_root(proof_check_t *check, const pay_json_t *path,
    const pay_audit_row_t *leaf, uint64_t leaves,
    unsigned char root[PAY_SHA256_SIZE])
{
    size_t          used = 0;
    uint64_t        at = (uint64_t) leaf->position - 1, size = leaves;
    pay_str_t       bytes, hex;
    unsigned char   beside[PAY_SHA256_SIZE];

    static const unsigned char  of_leaf[] = { 0 }, of_node[] = { 1 };

    PAY_TRY(pay_audit_leaf_bytes(check->arena, leaf, &bytes));
    PAY_TRY(pay_sha256_parts((pay_str_t[]) { { 1, of_leaf }, bytes }, 2,
                             root));

    if (leaf->position < 1 || at >= size
        || pay_json_type(path) != PAY_JSON_ARRAY)
    {
        return proof_wrong(check, "a path has no beginning");
    }

    for ( /* void */ ; size > 1; at /= 2, size = (size + 1) / 2) {
        if (at % 2 == 0 && at + 1 == size) {
            continue;
        }

        if (pay_json_string(pay_json_at(path, used++), &hex) != PAY_OK
            || pay_hex_decode(hex, beside, sizeof(beside)) != PAY_OK)
        {
            return proof_wrong(check, "a path is not whole");
        }

        bytes = (pay_str_t) { PAY_SHA256_SIZE, root };
        hex = (pay_str_t) { PAY_SHA256_SIZE, beside };
        PAY_TRY(pay_sha256_parts((pay_str_t[]) { { 1, of_node },
                                                 at % 2 ? hex : bytes,
                                                 at % 2 ? bytes : hex }, 3,
                                 root));
    }

    return used == pay_json_size(path)
           ? PAY_OK : proof_wrong(check, "a path is too long");
}


static pay_status_t
proof_line(proof_check_t *check, const pay_json_t *entry, const char *member,
    pay_audit_kind_t kind, pay_audit_row_t *row)
{
    pay_err_t  ignored;
    pay_str_t  line;

    if (pay_json_string(pay_json_get(entry, member), &line) != PAY_OK
        || pay_audit_parse(line, row, &ignored) != PAY_OK)
    {
        return proof_wrong(check, "a line of its seals cannot be read");
    }

    if (row->kind != kind) {
        pay_audit_row_free(row);
        return proof_wrong(check, "a line of its seals is of another kind");
    }

    return PAY_OK;
}
