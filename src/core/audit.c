/*
 * The event log as bytes: hashes of events, Merkle trees, messages of seals.
 * sql/functions computes the same in the database; tests compare the two.
 */

#include "pay_audit.h"
#include "pay_time.h"


/* An event that fits a line of an export fits here, too: lengths and
 * separators of its fields are far below 16 KiB. */
#define AUDIT_EVENT_MAX  (PAY_AUDIT_LINE_MAX + 16 * 1024)
#define AUDIT_HEX        (2 * PAY_SHA256_SIZE)


/*
 *   event n-1 ─hash─▶ event n ─hash─▶ event n+1      chain of an order
 *                       │ newest of its order
 *                       ▼
 *                     leaf ─▶ Merkle tree ─▶ root ─▶ message, signed: a seal
 *                                                      │ its digest
 *                                                      ▼
 *                                                    next message
 */

static void audit_field(pay_buf_t *buf, pay_str_t value);
static void audit_number_field(pay_buf_t *buf, uint64_t number);
static void audit_number(pay_buf_t *buf, uint64_t number);
static void audit_hex(const unsigned char hash[PAY_SHA256_SIZE],
    unsigned char text[AUDIT_HEX]);
static pay_status_t merkle_node(const unsigned char *left,
    const unsigned char *right, unsigned char out[PAY_SHA256_SIZE]);
static int message_line(pay_str_t *text, const char *name, pay_str_t *value);
static int message_number(pay_str_t text, uint64_t *number);


/* Fields are netstrings, so that no text can move from one field to the next
 * and leave the hash as it was.  The members and their sequence are those of
 * docs/audit.md#format; pay.event_hash in SQL writes the same bytes. */
pay_status_t
pay_audit_event_bytes(pay_arena_t *arena, const pay_audit_row_t *row,
    const unsigned char *previous, pay_str_t *bytes)
{
    pay_buf_t                 buf;
    unsigned char             hex[AUDIT_HEX];
    pay_str_t                 before = { 0, hex };
    const pay_audit_event_t  *event = &row->event;

    if (previous != NULL) {
        audit_hex(previous, hex);
        before.len = sizeof(hex);
    }

    pay_buf_init(&buf, arena, AUDIT_EVENT_MAX);
    audit_field(&buf, before);
    audit_field(&buf, row->merchant_id);
    audit_field(&buf, row->payment_order_id);
    audit_number_field(&buf, (uint64_t) row->seq);
    audit_field(&buf, event->at);
    audit_number_field(&buf, event->tx);
    audit_field(&buf, event->kind);
    audit_field(&buf, event->actor);
    audit_field(&buf, event->old_status);
    audit_field(&buf, event->new_status);
    audit_field(&buf, event->reason);
    audit_field(&buf, event->detail);
    audit_field(&buf, event->request_id);

    return pay_buf_done(&buf, bytes);
}


/* A heap of its own: verify goes through millions of events, and an arena
 * would keep the bytes of each. */
pay_status_t
pay_audit_event_hash(const pay_audit_row_t *row,
    const unsigned char *previous, unsigned char hash[PAY_SHA256_SIZE])
{
    pay_str_t      bytes;
    pay_heap_t    *heap;
    pay_status_t   status;

    heap = pay_heap_create();
    if (heap == NULL) {
        return PAY_NO_MEMORY;
    }

    status = pay_audit_event_bytes(pay_heap_arena(heap), row, previous,
                                   &bytes);
    if (status == PAY_OK) {
        status = pay_sha256(bytes, hash);
    }

    pay_heap_destroy(heap);

    return status;
}


/* Ids hold no line feed (pay_id_is_valid), so that lines are unambiguous
 * here. */
pay_status_t
pay_audit_leaf_bytes(pay_arena_t *arena, const pay_audit_row_t *row,
    pay_str_t *bytes)
{
    pay_buf_t      buf;
    unsigned char  hex[AUDIT_HEX];

    audit_hex(row->hash, hex);

    pay_buf_init(&buf, arena, PAY_MERKLE_LEAF_MAX);
    pay_buf_add(&buf, row->merchant_id);
    pay_buf_text(&buf, "\n");
    pay_buf_add(&buf, row->payment_order_id);
    pay_buf_text(&buf, "\n");
    pay_buf_int(&buf, row->seq);
    pay_buf_text(&buf, "\n");
    pay_buf_add(&buf, (pay_str_t) { sizeof(hex), hex });

    return pay_buf_done(&buf, bytes);
}


void
pay_merkle_init(pay_merkle_t *tree)
{
    memset(tree, 0, sizeof(*tree));
}


/* nodes[] holds the roots of whole trees, the largest first: as many as there
 * are ones in the count's binary digits. */
pay_status_t
pay_merkle_add(pay_merkle_t *tree, pay_str_t leaf)
{
    uint64_t        left;
    unsigned        level = 0;
    pay_status_t    status;
    unsigned char   node[PAY_SHA256_SIZE], bytes[1 + PAY_MERKLE_LEAF_MAX];

    if (tree->count >> 63 != 0 || leaf.len > PAY_MERKLE_LEAF_MAX) {
        return PAY_BUG;
    }

    /* RFC 9162 section 2.1.1: 0 in front of leaves and 1 in front of nodes, so
     * that no node can be passed off as a leaf. */
    bytes[0] = 0x00;
    memcpy(bytes + 1, leaf.data, leaf.len);
    status = pay_sha256((pay_str_t) { 1 + leaf.len, bytes }, node);

    for (left = tree->count; status == PAY_OK && left & 1; left >>= 1) {
        status = merkle_node(tree->nodes[level], node, node);
        level++;
    }

    if (status == PAY_OK) {
        memcpy(tree->nodes[level], node, sizeof(node));
        tree->count++;
    }

    return status;
}


/* A tree that is not whole splits at the largest power of two below its
 * count: so the whole ones are joined from the smallest up. */
pay_status_t
pay_merkle_root(const pay_merkle_t *tree, unsigned char root[PAY_SHA256_SIZE])
{
    int            begun = 0;
    uint64_t       left;
    unsigned       level = 0;
    unsigned char  node[PAY_SHA256_SIZE];

    if (tree->count == 0) {
        return pay_sha256(PAY_STR(""), root);
    }

    for (left = tree->count; left != 0; left >>= 1, level++) {
        if (!(left & 1)) {
            continue;
        }

        if (begun) {
            PAY_TRY(merkle_node(tree->nodes[level], node, node));

        } else {
            memcpy(node, tree->nodes[level], sizeof(node));
            begun = 1;
        }
    }

    memcpy(root, node, sizeof(node));

    return PAY_OK;
}


/* The message is signed as bytes, so that it must have one spelling: members
 * in one sequence, numbers without zeros in front, one line feed behind
 * each. */
pay_status_t
pay_audit_message_read(pay_str_t text, pay_audit_message_t *message)
{
    int64_t              at_us;
    uint64_t             number;
    pay_str_t            rest = text, value, root, previous, from, until, n;
    pay_audit_message_t  read;

    /* Lines in their one sequence, and nothing behind the last. */
    if (text.len > PAY_AUDIT_MESSAGE_MAX
        || !message_line(&rest, "ngx_payments seal ", &value)
        || !pay_str_is(value, "1")
        || !message_line(&rest, "number ", &n)
        || !message_line(&rest, "at ", &read.at)
        || !message_line(&rest, "from ", &from)
        || !message_line(&rest, "until ", &until)
        || !message_line(&rest, "leaves ", &value)
        || !message_line(&rest, "root ", &root)
        || !message_line(&rest, "previous ", &previous)
        || rest.len != 0)
    {
        return PAY_INVALID;
    }

    /* Each value in its one spelling; a seal may cover no transactions, but
     * never fewer. */
    if (!message_number(n, &number) || number == 0 || number > INT64_MAX
        || pay_time_parse(read.at, &at_us) != PAY_OK
        || !message_number(from, &read.from_tx)
        || !message_number(until, &read.until_tx)
        || !message_number(value, &read.leaves)
        || pay_hex_decode(root, read.root, PAY_SHA256_SIZE) != PAY_OK
        || pay_hex_decode(previous, read.previous, PAY_SHA256_SIZE) != PAY_OK
        || read.from_tx > read.until_tx)
    {
        return PAY_INVALID;
    }

    read.number = (int64_t) number;
    *message = read;

    return PAY_OK;
}


/* The line that the gateway writes to `export=` and payctl audit verify
 * --roots reads; members as docs/audit.md#format has them. */
pay_status_t
pay_audit_seal_line(pay_arena_t *arena, int64_t number,
    const pay_audit_seal_t *seal, pay_str_t *line)
{
    pay_str_t     text, bytes = { PAY_ED25519_SIGNATURE, seal->signature };
    pay_json_t   *json;
    pay_status_t  status;

    PAY_TRY(pay_base64_encode(arena, bytes, &text));

    json = pay_json_object_new();
    status = pay_json_set_string(json, "t", PAY_STR("seal"));

    if (status == PAY_OK) {
        status = pay_json_set_integer(json, "number", number);
    }

    if (status == PAY_OK) {
        status = pay_json_set_string(json, "message", seal->message);
    }

    if (status == PAY_OK) {
        status = pay_json_set_string(json, "key_id", seal->key_id);
    }

    if (status == PAY_OK) {
        status = pay_json_set_string(json, "signature", text);
    }

    if (status == PAY_OK) {
        status = pay_json_write(arena, json, line);
    }

    pay_json_free(json);

    return status;
}


/* A netstring, or "-," for NULL. */
static void
audit_field(pay_buf_t *buf, pay_str_t value)
{
    if (value.data == NULL) {
        pay_buf_text(buf, "-,");
        return;
    }

    pay_buf_int(buf, (int64_t) value.len);
    pay_buf_text(buf, ":");
    pay_buf_add(buf, value);
    pay_buf_text(buf, ",");
}


/* The length is counted first, since a netstring begins with it. */
static void
audit_number_field(pay_buf_t *buf, uint64_t number)
{
    int       digits = 1;
    uint64_t  left;

    for (left = number; left >= 10; left /= 10) {
        digits++;
    }

    pay_buf_int(buf, digits);
    pay_buf_text(buf, ":");
    audit_number(buf, number);
    pay_buf_text(buf, ",");
}


/* pay_buf_int() takes numbers with a sign: one above INT64_MAX is written in
 * two parts.  A transaction's number (xid8) has 64 bits without a sign. */
static void
audit_number(pay_buf_t *buf, uint64_t number)
{
    if (number > INT64_MAX) {
        pay_buf_int(buf, (int64_t) (number / 10));
        number %= 10;
    }

    pay_buf_int(buf, (int64_t) number);
}


static void
audit_hex(const unsigned char hash[PAY_SHA256_SIZE],
    unsigned char text[AUDIT_HEX])
{
    unsigned           i;
    static const char  hex[] = "0123456789abcdef";

    for (i = 0; i < PAY_SHA256_SIZE; i++) {
        text[2 * i] = (unsigned char) hex[hash[i] >> 4];
        text[2 * i + 1] = (unsigned char) hex[hash[i] & 15];
    }
}


/* `out` may be one of the two inputs: it is written when both have been
 * read. */
static pay_status_t
merkle_node(const unsigned char *left, const unsigned char *right,
    unsigned char out[PAY_SHA256_SIZE])
{
    unsigned char  bytes[1 + 2 * PAY_SHA256_SIZE];

    bytes[0] = 0x01;
    memcpy(bytes + 1, left, PAY_SHA256_SIZE);
    memcpy(bytes + 1 + PAY_SHA256_SIZE, right, PAY_SHA256_SIZE);

    return pay_sha256((pay_str_t) { sizeof(bytes), bytes }, out);
}


/* Takes the first line, which must begin with `name`, off the text. */
static int
message_line(pay_str_t *text, const char *name, pay_str_t *value)
{
    size_t                n = strlen(name);
    const unsigned char  *end;

    end = text->len > n ? memchr(text->data, '\n', text->len) : NULL;

    if (end == NULL || (size_t) (end - text->data) < n
        || memcmp(text->data, name, n) != 0)
    {
        return 0;
    }

    *value = (pay_str_t) { (size_t) (end - text->data) - n, text->data + n };
    text->len -= (size_t) (end - text->data) + 1;
    text->data = end + 1;

    return 1;
}


/* Digits without a leading nought. */
static int
message_number(pay_str_t text, uint64_t *number)
{
    size_t    i;
    uint64_t  value = 0;

    if (text.len == 0 || (text.data[0] == '0' && text.len > 1)) {
        return 0;
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9'
            || __builtin_mul_overflow(value, 10, &value)
            || __builtin_add_overflow(value, text.data[i] - '0', &value))
        {
            return 0;
        }
    }

    *number = value;

    return 1;
}
