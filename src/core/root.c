/*
 * The root of a day over all cells, see pay_root.h.  A leaf is this text, whose
 * lines end with LF:
 *    ngx_payments head 1
 *    cell b
 *    database 7420018301298475211/16386
 *    seal 2160
 *    at 2026-11-21T23:59:58.320151Z
 *    leaves 31
 *    root <hex>
 *    digest <hex: SHA-256 of the seal's message>
 */

#include "pay_root.h"

#include <string.h>


static pay_status_t root_sort(pay_root_t *root);
static int root_is_twice(const pay_root_t *root, size_t count);
static int root_is_day(pay_str_t day);
static int root_is_database(pay_str_t text);
static int root_is_head(const pay_root_t *root, const pay_root_head_t *head);
static int root_order(pay_str_t a, pay_str_t b);
static pay_status_t root_compute(pay_arena_t *arena, pay_root_t *root);
static void root_hex(pay_buf_t *buf,
    const unsigned char digest[PAY_SHA256_SIZE]);
static pay_status_t root_parse(pay_arena_t *arena, const pay_json_t *json,
    pay_root_t *root);
static pay_status_t root_parse_head(pay_arena_t *arena, const pay_json_t *json,
    pay_root_head_t *head);
static pay_status_t root_text(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *text);
static pay_status_t root_digest(const pay_json_t *json, const char *member,
    unsigned char digest[PAY_SHA256_SIZE]);


static const pay_json_limits_t  limits = { PAY_ROOT_MAX, 3, 256, 256 };


pay_status_t
pay_root_head(pay_str_t message, pay_root_head_t *head)
{
    pay_audit_message_t  seal;

    head->number = 0;
    head->at = PAY_STR("");
    head->leaves = 0;
    memset(head->root, 0, sizeof(head->root));
    memset(head->digest, 0, sizeof(head->digest));

    if (message.len == 0) {
        return PAY_OK;
    }

    PAY_TRY(pay_audit_message_read(message, &seal));
    head->number = seal.number;
    head->at = seal.at;
    head->leaves = seal.leaves;
    memcpy(head->root, seal.root, sizeof(head->root));

    return pay_sha256(message, head->digest);
}


pay_status_t
pay_root_write(pay_arena_t *arena, pay_root_t *root, pay_str_t *document)
{
    size_t                  i;
    pay_buf_t               buf;
    const pay_root_head_t  *head;

    PAY_TRY(root_sort(root));
    PAY_TRY(root_compute(arena, root));

    pay_buf_init(&buf, arena, PAY_ROOT_MAX);
    pay_buf_text(&buf, "{\"day\":\"");
    pay_buf_add(&buf, root->day);
    pay_buf_text(&buf, "\",\"root\":\"");
    root_hex(&buf, root->root);
    pay_buf_text(&buf, "\",\"cells\":[");

    for (i = 0; i < root->count; i++) {
        head = &root->heads[i];
        pay_buf_text(&buf, i > 0 ? ",{\"cell\":\"" : "{\"cell\":\"");
        pay_buf_add(&buf, head->cell);
        pay_buf_text(&buf, "\",\"database\":\"");
        pay_buf_add(&buf, head->database);
        pay_buf_text(&buf, "\",\"seal\":");
        pay_buf_int(&buf, head->number);
        pay_buf_text(&buf, ",\"at\":\"");
        pay_buf_add(&buf, head->at);
        pay_buf_text(&buf, "\",\"leaves\":");
        pay_buf_int(&buf, (int64_t) head->leaves);
        pay_buf_text(&buf, ",\"seal_root\":\"");
        root_hex(&buf, head->root);
        pay_buf_text(&buf, "\",\"digest\":\"");
        root_hex(&buf, head->digest);
        pay_buf_text(&buf, "\"}");
    }

    pay_buf_text(&buf, "]}");

    return pay_buf_done(&buf, document);
}


/* The document is written again: only one that comes out as it went in is
 * valid. */
pay_status_t
pay_root_read(pay_arena_t *arena, pay_str_t document, pay_root_t *root,
    pay_err_t *err)
{
    pay_err_t       ignored;
    pay_str_t       again;
    pay_json_t     *json;
    pay_root_t      made;
    pay_status_t    status;
    unsigned char   said[PAY_SHA256_SIZE];

    err->detail = "it is no root of a day";
    PAY_TRY(pay_json_parse(document, &limits, &json, &ignored));

    memset(&made, 0, sizeof(made));
    status = root_parse(arena, json, &made);
    pay_json_free(json);
    PAY_TRY(status);

    memcpy(said, made.root, sizeof(said));
    PAY_TRY(pay_root_write(arena, &made, &again));

    if (memcmp(said, made.root, sizeof(said)) != 0) {
        err->detail = "its cells do not give its root";
        return PAY_INVALID;
    }

    if (!pay_str_eq(document, again)) {
        return PAY_INVALID;
    }

    *root = made;

    return PAY_OK;
}


/* A seal that was lost on its way is vouched for by the next one. */
pay_status_t
pay_root_compare(const pay_root_t *root, const pay_root_head_t *head,
    pay_str_t message, pay_root_seal_t *is)
{
    unsigned char        digest[PAY_SHA256_SIZE];
    pay_audit_message_t  seal;

    *is = PAY_ROOT_OTHER;
    PAY_TRY(pay_audit_message_read(message, &seal));

    if (seal.number < head->number || seal.number - head->number > 1) {
        *is = seal.number > head->number
              && memcmp(seal.at.data, root->day.data, PAY_ROOT_DAY) <= 0
              ? PAY_ROOT_LATER : PAY_ROOT_OTHER;
        return PAY_OK;
    }

    if (seal.number == head->number) {
        PAY_TRY(pay_sha256(message, digest));

    } else if (memcmp(seal.at.data, root->day.data, PAY_ROOT_DAY) <= 0) {
        *is = PAY_ROOT_LATER;
        return PAY_OK;

    } else {
        memcpy(digest, seal.previous, sizeof(digest));
    }

    *is = memcmp(digest, head->digest, sizeof(digest)) == 0 ? PAY_ROOT_SAME
                                                            : PAY_ROOT_DIFFERS;

    return PAY_OK;
}


static pay_status_t
root_sort(pay_root_t *root)
{
    size_t           i, j;
    pay_root_head_t  head;

    if (root->count == 0 || root->count > PAY_CELLS_MAX
        || !root_is_day(root->day))
    {
        return PAY_INVALID;
    }

    for (i = 0; i < root->count; i++) {
        head = root->heads[i];

        if (!root_is_head(root, &head) || root_is_twice(root, i)) {
            return PAY_INVALID;
        }

        for (j = i; j > 0 && root_order(head.cell, root->heads[j - 1].cell) < 0;
             j--)
        {
            root->heads[j] = root->heads[j - 1];
        }

        if (j > 0 && pay_str_eq(head.cell, root->heads[j - 1].cell)) {
            return PAY_INVALID;
        }

        root->heads[j] = head;
    }

    return PAY_OK;
}


/* One database under two names, while another cell is not there. */
static int
root_is_twice(const pay_root_t *root, size_t count)
{
    size_t  i;

    for (i = 0; i < count; i++) {
        if (pay_str_eq(root->heads[i].database, root->heads[count].database)) {
            return 1;
        }
    }

    return 0;
}


static int
root_is_day(pay_str_t day)
{
    size_t  i;

    for (i = 0; i < day.len; i++) {
        if ((i == 4 || i == 7) ? day.data[i] != '-'
            : day.data[i] < '0' || day.data[i] > '9')
        {
            return 0;
        }
    }

    return day.len == PAY_ROOT_DAY;
}


static int
root_is_database(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] != '/' && (text.data[i] < '0' || text.data[i] > '9')) {
            return 0;
        }
    }

    return text.len > 0 && text.len <= PAY_ROOT_DATABASE;
}


/* A time of PostgreSQL begins with its day. */
static int
root_is_head(const pay_root_t *root, const pay_root_head_t *head)
{
    if (!pay_cell_is_valid(head->cell) || !root_is_database(head->database)) {
        return 0;
    }

    return head->number == 0
           ? head->at.len == 0
           : head->number > 0 && head->at.len == PAY_AUDIT_TIME
             && memcmp(head->at.data, root->day.data, PAY_ROOT_DAY) <= 0;
}


/* Bytewise; a name comes before a longer one that begins with it. */
static int
root_order(pay_str_t a, pay_str_t b)
{
    size_t  len = a.len < b.len ? a.len : b.len;
    int     order = memcmp(a.data, b.data, len);

    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}


static pay_status_t
root_compute(pay_arena_t *arena, pay_root_t *root)
{
    size_t                  i;
    pay_buf_t               buf;
    pay_str_t               leaf;
    pay_merkle_t            tree;
    const pay_root_head_t  *head;

    pay_merkle_init(&tree);

    for (i = 0; i < root->count; i++) {
        head = &root->heads[i];
        pay_buf_init(&buf, arena, PAY_MERKLE_LEAF_MAX);
        pay_buf_text(&buf, "ngx_payments head 1\ncell ");
        pay_buf_add(&buf, head->cell);
        pay_buf_text(&buf, "\ndatabase ");
        pay_buf_add(&buf, head->database);
        pay_buf_text(&buf, "\nseal ");
        pay_buf_int(&buf, head->number);
        pay_buf_text(&buf, "\nat ");
        pay_buf_add(&buf, head->at);
        pay_buf_text(&buf, "\nleaves ");
        pay_buf_int(&buf, (int64_t) head->leaves);
        pay_buf_text(&buf, "\nroot ");
        root_hex(&buf, head->root);
        pay_buf_text(&buf, "\ndigest ");
        root_hex(&buf, head->digest);
        pay_buf_text(&buf, "\n");
        PAY_TRY(pay_buf_done(&buf, &leaf));
        PAY_TRY(pay_merkle_add(&tree, leaf));
    }

    return pay_merkle_root(&tree, root->root);
}


static void
root_hex(pay_buf_t *buf, const unsigned char digest[PAY_SHA256_SIZE])
{
    static const char  hex[] = "0123456789abcdef";

    size_t  i;
    char    digits[3] = { '\0', '\0', '\0' };

    for (i = 0; i < PAY_SHA256_SIZE; i++) {
        digits[0] = hex[digest[i] >> 4];
        digits[1] = hex[digest[i] & 15];
        pay_buf_text(buf, digits);
    }
}


static pay_status_t
root_parse(pay_arena_t *arena, const pay_json_t *json, pay_root_t *root)
{
    size_t             i;
    const pay_json_t  *cells = pay_json_get(json, "cells");

    PAY_TRY(root_text(arena, json, "day", &root->day));
    PAY_TRY(root_digest(json, "root", root->root));

    if (pay_json_type(cells) != PAY_JSON_ARRAY
        || pay_json_size(cells) > PAY_CELLS_MAX)
    {
        return PAY_INVALID;
    }

    root->count = pay_json_size(cells);

    for (i = 0; i < root->count; i++) {
        PAY_TRY(root_parse_head(arena, pay_json_at(cells, i),
                                &root->heads[i]));
    }

    return PAY_OK;
}


static pay_status_t
root_parse_head(pay_arena_t *arena, const pay_json_t *json,
    pay_root_head_t *head)
{
    int64_t  leaves;

    PAY_TRY(root_text(arena, json, "cell", &head->cell));
    PAY_TRY(root_text(arena, json, "database", &head->database));
    PAY_TRY(root_text(arena, json, "at", &head->at));
    PAY_TRY(pay_json_integer(pay_json_get(json, "seal"), &head->number));
    PAY_TRY(pay_json_integer(pay_json_get(json, "leaves"), &leaves));
    head->leaves = (uint64_t) leaves;
    PAY_TRY(root_digest(json, "seal_root", head->root));

    return root_digest(json, "digest", head->digest);
}


/* Copied: the JSON is gone before the root is. */
static pay_status_t
root_text(pay_arena_t *arena, const pay_json_t *json, const char *member,
    pay_str_t *text)
{
    pay_str_t  value;

    PAY_TRY(pay_json_string(pay_json_get(json, member), &value));

    return pay_dup(arena, value, text);
}


static pay_status_t
root_digest(const pay_json_t *json, const char *member,
    unsigned char digest[PAY_SHA256_SIZE])
{
    pay_str_t  value;

    PAY_TRY(pay_json_string(pay_json_get(json, member), &value));

    return pay_hex_decode(value, digest, PAY_SHA256_SIZE);
}
