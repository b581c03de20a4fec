/*
 * Lists of a PSP, what the adapters share: a registration looked for among
 * those it has, and the events that it made.  One entry proves that something
 * is there; that it is not, only a complete list does.
 */

#include "psp/psp.h"
#include "pay_id.h"


/* Ten minutes; a search that begins too early costs a page, one that begins
 * too late misses the registration. */
#define SKEW_S    600          /* the PSP's clock behind ours */
#define UUID_V7   14           /* the position of a UUID's version digit */


static int uuid_time(pay_str_t uuid, int64_t *unix_s);
static int hex_value(unsigned char c);
static pay_status_t find_entry(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *entry,
    pay_psp_found_pt read, pay_psp_registered_t *result, int *found);
static int cursor_byte(unsigned char c);
static pay_status_t list_add(pay_psp_listed_t *listed,
    const pay_psp_told_t *told);
static int list_has(const pay_psp_listed_t *listed, pay_str_t event_id);


/* A search needs less than a registration: no lines and no return URL. */
int
pay_psp_find_sane(const pay_psp_checkout_t *checkout)
{
    return pay_id_is_valid(checkout->nonce)
           && pay_id_is_valid(checkout->merchant_reference)
           && checkout->currency != NULL && checkout->expires_s > 0
           && (checkout->find_from.len == 0
               || pay_psp_token_is_valid(checkout->find_from));
}


/* Our references are UUIDs of version 7, which begin with the time.  One that
 * is none, or of another time than the order can be of, proves nothing. */
int64_t
pay_psp_find_since(const pay_psp_checkout_t *checkout, unsigned max_expiry_s)
{
    int64_t  made, earliest = checkout->expires_s - (int64_t) max_expiry_s;

    if (uuid_time(checkout->merchant_reference, &made) && made > earliest
        && made <= checkout->expires_s)
    {
        earliest = made;
    }

    return (earliest > SKEW_S) ? earliest - SKEW_S : 0;
}


/* RFC 9562, section 5.7: the first 48 bits are milliseconds since 1970. */
static int
uuid_time(pay_str_t uuid, int64_t *unix_s)
{
    int       digit;
    size_t    i;
    int64_t   ms = 0;

    if (uuid.len != PAY_UUID_TEXT || uuid.data[UUID_V7] != '7') {
        return 0;
    }

    for (i = 0; i < UUID_V7 - 1; i++) {
        if (i == 8) {                  /* 0199c0de-0000-7… */
            continue;
        }

        digit = hex_value(uuid.data[i]);
        if (digit < 0) {
            return 0;
        }

        ms = ms * 16 + digit;
    }

    *unix_s = ms / 1000;

    return 1;
}


static int
hex_value(unsigned char c)
{
    return (c >= '0' && c <= '9') ? c - '0'
           : (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


/* The retry advice and the code of the answer stay; only the outcome is taken
 * back. */
pay_status_t
pay_psp_find_open(pay_arena_t *arena, const pay_http_answer_t *answer,
    pay_psp_error_pt read, pay_json_t **json, pay_psp_registered_t *result)
{
    PAY_TRY(pay_psp_answer_open(arena, answer, read, json, result));

    if (*json != NULL && answer->status != 200) {
        pay_json_free(*json);
        *json = NULL;
    }

    /* this question came to nothing; the registration may be there */
    result->outcome = PAY_PSP_UNKNOWN;

    return PAY_OK;
}


/* All entries of the page are looked at even after a hit, since a second one
 * is a reason to stop. */
pay_status_t
pay_psp_find_in(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *entries, pay_psp_found_pt read,
    pay_psp_registered_t *result, int *found)
{
    size_t                i;
    pay_psp_registered_t  made = *result;

    *found = 0;

    if (pay_json_type(entries) != PAY_JSON_ARRAY) {
        return PAY_INVALID;
    }

    for (i = 0; i < pay_json_size(entries); i++) {
        if (pay_json_type(pay_json_at(entries, i)) != PAY_JSON_OBJECT) {
            return PAY_INVALID;
        }

        PAY_TRY(find_entry(arena, checkout, pay_json_at(entries, i), read,
                           &made, found));
    }

    if (*found) {
        *result = made;
    }

    return PAY_OK;
}


/* Writes an entry of ours into *result.  Two entries are one too many: an
 * operator has to find out to which of them a buyer was sent, if to any. */
static pay_status_t
find_entry(pay_arena_t *arena, const pay_psp_checkout_t *checkout,
    const pay_json_t *entry, pay_psp_found_pt read,
    pay_psp_registered_t *result, int *found)
{
    int                   ours = 0;
    pay_psp_registered_t  made;

    memset(&made, 0, sizeof(made));
    made.outcome = PAY_PSP_UNKNOWN;
    made.code = PAY_STR("found_unusable");
    made.retry_after_s = result->retry_after_s;

    PAY_TRY(read(arena, checkout, entry, &ours, &made));

    if (!ours) {
        return PAY_OK;
    }

    if (*found && (made.outcome != PAY_PSP_DONE
                   || result->outcome != PAY_PSP_DONE
                   || !pay_str_eq(made.token, result->token)))
    {
        memset(&made, 0, sizeof(made));
        made.outcome = PAY_PSP_UNKNOWN;
        made.code = PAY_STR("found_twice");
        made.retry_after_s = result->retry_after_s;
    }

    *result = made;
    *found = 1;

    return PAY_OK;
}


/* NOT_SENT is allowed for a complete list only; it is still no licence to send
 * again, which the journal decides (flow_register.c: register_found()). */
pay_status_t
pay_psp_find_none(const pay_psp_checkout_t *checkout, pay_str_t next,
    pay_psp_registered_t *result)
{
    /* a page that follows itself would go round for ever */
    if (next.len != 0 && pay_str_eq(next, checkout->find_from)) {
        return PAY_INVALID;
    }

    result->outcome = next.len ? PAY_PSP_UNKNOWN : PAY_PSP_NOT_SENT;
    result->code = next.len ? PAY_STR("not_on_this_page")
                            : PAY_STR("not_found");
    result->next = next;

    return PAY_OK;
}


/* A cursor comes from an untrusted answer and is stored nowhere but sent back;
 * its alphabet keeps it inside one query. */
int
pay_psp_list_sane(const pay_psp_list_t *list)
{
    size_t  i;

    for (i = 0; i < list->cursor.len; i++) {
        if (!cursor_byte(list->cursor.data[i])) {
            return 0;
        }
    }

    return list->since_s >= 0 && list->since_s < list->until_s
           && list->cursor.len <= PAY_PSP_CURSOR_MAX;
}


/* Fit for an URL, a row and a log: letters, digits, and what base64, times
 * and pairs of a query are made of. */
static int
cursor_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~:%+=,/&", c));
}


/* An entry whose webhook would be refused is left out and counted; one without
 * an id makes the page unreadable, because the inbox could not tell whether it
 * came before. */
pay_status_t
pay_psp_list_in(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *entries, pay_psp_listed_pt read,
    pay_psp_listed_t *listed)
{
    size_t             i;
    pay_str_t          id;
    pay_status_t       status;
    pay_psp_told_t     told;
    const pay_json_t  *entry;

    if (pay_json_type(entries) != PAY_JSON_ARRAY
        || pay_json_size(entries) > PAY_PSP_PAGE_MAX)
    {
        return PAY_INVALID;
    }

    for (i = 0; i < pay_json_size(entries); i++) {
        entry = pay_json_at(entries, i);

        /* without its id it could not be compared with one that came */
        if (pay_json_string(pay_json_get(entry, "id"), &id) != PAY_OK
            || !pay_psp_token_is_valid(id))
        {
            return PAY_INVALID;
        }

        memset(&told, 0, sizeof(told));
        status = read(arena, account, entry, &told, NULL);

        if (status == PAY_OK) {
            PAY_TRY(list_add(listed, &told));

        } else if (status != PAY_INVALID) {
            return status;

        } else {
            listed->left_out++;
        }
    }

    return PAY_OK;
}


/* All events of an entry, or the page would count as seen without them. */
static pay_status_t
list_add(pay_psp_listed_t *listed, const pay_psp_told_t *told)
{
    unsigned  i;

    for (i = 0; i < told->count; i++) {
        if (list_has(listed, told->events[i].event_id)) {
            continue;
        }

        if (listed->count == PAY_PSP_LIST_MAX) {
            return PAY_INVALID;
        }

        listed->events[listed->count++] = told->events[i];
    }

    return PAY_OK;
}


/* Pages are short (PAY_PSP_LIST_MAX), so each new event is compared with
 * all. */
static int
list_has(const pay_psp_listed_t *listed, pay_str_t event_id)
{
    unsigned  i;

    for (i = 0; i < listed->count; i++) {
        if (pay_str_eq(listed->events[i].event_id, event_id)) {
            return 1;
        }
    }

    return 0;
}


/* A cursor of this page again would make the reader go round for ever;
 * PAGES_MAX of the flow bounds longer rounds. */
pay_status_t
pay_psp_list_next(pay_arena_t *arena, const pay_psp_list_t *list,
    pay_str_t cursor, pay_psp_listed_t *listed)
{
    pay_psp_list_t  after = *list;

    after.cursor = cursor;

    if (cursor.len == 0 || !pay_psp_list_sane(&after)
        || pay_str_eq(cursor, list->cursor))
    {
        return PAY_INVALID;
    }

    return pay_dup(arena, cursor, &listed->next);
}


/* Half a page would move the position past events that nobody has seen. */
pay_status_t
pay_psp_list_done(pay_status_t status, pay_psp_listed_t *made,
    pay_psp_listed_t *listed)
{
    if (status != PAY_OK && status != PAY_INVALID) {
        return status;
    }

    made->known = (status == PAY_OK);

    if (made->known) {
        *listed = *made;

    } else {
        listed->known = 0;
        listed->count = 0;
        listed->next = PAY_STR("");
    }

    return PAY_OK;
}
