/*
 * Conformance of the PSP adapters, what goes out: every capability builds a
 * request, secrets stay in their header field, idempotency keys are pure
 * functions, amounts keep their precision, nothing of ours breaks out of an
 * URL or header, and memory may run out at any place.
 */

#include "conformance.h"

#include "pay_id.h"
#include "pay_sig.h"


#define CALLS_MAX  16

/* Who builds a request: the registration, a question, a change. */
typedef enum {
    CALL_REGISTER = 0, CALL_QUERY, CALL_FIND, CALL_LIST, CALL_AUTH,
    CALL_CHANGE
} call_t;

typedef struct {
    call_t                 call;
    pay_psp_change_kind_t  kind;
} way_t;


static const way_t  ways[] = {
    { CALL_REGISTER, 0 }, { CALL_QUERY, 0 }, { CALL_FIND, 0 },
    { CALL_LIST, 0 }, { CALL_AUTH, 0 },
    { CALL_CHANGE, PAY_PSP_CAPTURE }, { CALL_CHANGE, PAY_PSP_CANCEL },
    { CALL_CHANGE, PAY_PSP_REFUND }, { CALL_CHANGE, PAY_PSP_EXPIRE }
};

#define WAYS  (sizeof(ways) / sizeof(ways[0]))


static int
has_way(const pay_psp_adapter_t *psp, way_t way)
{
    switch (way.call) {
    case CALL_REGISTER:
        return psp->register_request != NULL;
    case CALL_QUERY:
        return psp->query_request != NULL;
    case CALL_FIND:
        return psp->find_request != NULL;
    case CALL_LIST:
        return psp->list_request != NULL;
    case CALL_AUTH:
        return psp->auth_request != NULL;
    default:
        return kit_can(psp, way.kind);
    }
}


/* Questions change nothing: GET, without a body or a key. */
static int
is_question(way_t way)
{
    return way.call == CALL_QUERY || way.call == CALL_FIND
           || way.call == CALL_LIST;
}


static pay_status_t
ask(pay_arena_t *arena, const pay_psp_adapter_t *psp, way_t way,
    const pay_psp_account_t *ours, const pay_psp_checkout_t *checkout,
    pay_http_request_t *request)
{
    pay_psp_list_t  list = kit_list();

    switch (way.call) {
    case CALL_FIND:
        return psp->find_request(arena, ours, checkout, request);
    case CALL_LIST:
        return psp->list_request(arena, ours, &list, request);
    default:
        return psp->query_request(arena, ours,
                                  pay_str_of(kit_table(psp)->token), request);
    }
}


/* The request of that way, for a nonce or key `id`, that currency, amount. */
static pay_status_t
build(pay_arena_t *arena, const pay_psp_adapter_t *psp, way_t way,
    const char *id, const pay_currency_t *currency, int64_t minor,
    pay_http_request_t *request)
{
    pay_err_t           err;
    pay_psp_checkout_t  checkout = order_of(currency, minor);
    pay_psp_change_t    change;
    const kit_table_t  *table = kit_table(psp);
    pay_psp_account_t   ours = kit_account(table);

    switch (way.call) {
    case CALL_REGISTER:
        checkout.nonce = pay_str_of(id);
        checkout.webhook_url = PAY_STR("https://pay.example.com/webhooks/psp");
        return psp->register_request(arena, &ours, &checkout, request, &err);
    case CALL_QUERY:
    case CALL_FIND:
    case CALL_LIST:
        checkout.nonce = pay_str_of(id);
        return ask(arena, psp, way, &ours, &checkout, request);
    case CALL_AUTH:
        return psp->auth_request(arena, &ours, request);
    default:
        change = kit_change(table, way.kind);
        change.key = pay_str_of(id);
        change.currency = currency;
        change.amount_minor = minor;
        return psp->change_request(arena, &ours, &change, request, &err);
    }
}


static pay_http_request_t
built(pay_arena_t *arena, const pay_psp_adapter_t *psp, way_t way,
    const char *id)
{
    pay_status_t        status;
    pay_http_request_t  request;

    memset(&request, 0xa5, sizeof(request));
    status = build(arena, psp, way, id, currency_of("USD"), 3000, &request);
    cr_assert_eq(status, PAY_OK, "%s: %d/%d is %d", psp->name, way.call,
                 way.kind, status);

    return request;
}


Test(pay_conformance_requests, slots_of_a_row_fit_together)
{
    const pay_psp_adapter_t  *psp, *other;

    EACH_ROW(psp) {
        cr_expect_eq(pay_psp_find(pay_str_of(psp->name)), psp);
        cr_expect_not_null(pay_sig_find(pay_str_of(psp->scheme)), "%s: %s",
                           psp->name, psp->scheme);
        cr_expect_not_null(psp->webhook_events, "%s", psp->name);

        cr_expect_eq(psp->register_request != NULL,
                     psp->register_answer != NULL, "%s", psp->name);
        cr_expect_eq(psp->register_request != NULL,
                     psp->query_request != NULL, "%s", psp->name);
        cr_expect_eq(psp->register_request != NULL,
                     psp->query_answer != NULL, "%s", psp->name);
        cr_expect_eq(psp->auth_request != NULL, psp->auth_answer != NULL,
                     "%s", psp->name);
        cr_expect_eq(psp->find_request != NULL, psp->find_answer != NULL,
                     "%s", psp->name);
        cr_expect_eq(psp->list_request != NULL, psp->list_answer != NULL,
                     "%s", psp->name);
        cr_expect(psp->register_request != NULL
                  || (psp->find_request == NULL && psp->list_request == NULL),
                  "%s", psp->name);
        cr_expect_eq(psp->changes != 0, psp->change_request != NULL, "%s",
                     psp->name);
        cr_expect_eq(psp->changes != 0, psp->change_answer != NULL, "%s",
                     psp->name);
        cr_expect_lt(psp->changes, PAY_PSP_CAN(PAY_PSP_CHANGE_COUNT));

        if (psp->register_request != NULL) {
            cr_expect(0 < psp->min_expiry_s
                      && psp->min_expiry_s < psp->max_expiry_s, "%s",
                      psp->name);
        }

        /* a page that lingers can be ended */
        cr_expect(!(psp->traits & PAY_PSP_LINGERS)
                  || kit_can(psp, PAY_PSP_EXPIRE), "%s", psp->name);
    }

    EACH_ROW(psp) {
        other = pay_psp_find(pay_str_of(psp->name));
        cr_expect_eq(other, psp, "%s stands there twice", psp->name);
    }
}


/* No window without a call, and none that is longer than for ever. */
Test(pay_conformance_requests, each_call_has_a_window_of_its_own)
{
    unsigned                  kind, hours;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        cr_expect_eq(psp->register_request != NULL,
                     psp->key_window_hours != 0, "%s", psp->name);
        cr_expect_lt(psp->key_window_hours, PAY_PSP_ALWAYS_HOURS);

        for (kind = 0; kind < PAY_PSP_CHANGE_COUNT; kind++) {
            hours = psp->change_window_hours[kind];
            cr_expect_eq(kit_can(psp, kind), hours != 0, "%s %s", psp->name,
                         kit_kinds[kind]);
            cr_expect_leq(hours, PAY_PSP_ALWAYS_HOURS);
        }
    }
}


Test(pay_conformance_requests, each_capability_builds_a_request)
{
    unsigned                  i, j, k;
    pay_heap_t               *heap;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        for (i = 0; i < WAYS; i++) {
            if (!has_way(psp, ways[i])) {
                continue;
            }

            heap = pay_heap_create();
            request = built(pay_heap_arena(heap), psp, ways[i], OPERATION);

            cr_expect(pay_str_is(request.method, "POST")
                      || pay_str_is(request.method, "GET")
                      || pay_str_is(request.method, "PUT")
                      || pay_str_is(request.method, "PATCH")
                      || pay_str_is(request.method, "DELETE"), "%s",
                      psp->name);
            cr_expect_eq(position(request.url, "https://psp.example/base/"),
                         0, "%s: %.*s", psp->name, pay_fmt(request.url));
            cr_expect_leq(request.url.len, 2048);
            cr_expect_leq(request.field_count, PAY_HTTP_HEADERS_MAX);
            cr_expect_lt(request.field_count, PAY_HTTP_HEADERS_MAX,
                         "%s: no room for Authorization", psp->name);

            if (request.body.len != 0) {
                cr_expect_gt(field_of(&request, "Content-Type").len, 0);
            }

            if (is_question(ways[i])) {
                cr_expect(pay_str_is(request.method, "GET"));
                cr_expect_eq(request.body.len, 0, "%s", psp->name);
            }

            for (j = 0; j < request.field_count; j++) {
                for (k = 0; k < request.fields[j].value.len; k++) {
                    cr_expect(request.fields[j].value.data[k] >= ' '
                              && request.fields[j].value.data[k] <= '~',
                              "%s", psp->name);
                }

                field_of(&request, (const char *) request.fields[j].name.data);
            }

            pay_heap_destroy(heap);
        }
    }
}


/* Our checkout's id is what the PSP knows the registration by. */
Test(pay_conformance_requests, a_registration_carries_our_reference)
{
    pay_heap_t               *heap;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        if (psp->register_request != NULL) {
            heap = pay_heap_create();
            request = built(pay_heap_arena(heap), psp, ways[0], NONCE);
            cr_expect(contains(request.body, REFERENCE), "%s", psp->name);
            cr_expect(contains(request.body, "pay.example.com"), "%s: no "
                      "way back", psp->name);
            pay_heap_destroy(heap);
        }
    }
}


/* --- Secrets ----------------------------------------------------------- */

static int
holds_secret(pay_arena_t *arena, pay_str_t text)
{
    pay_str_t  whole, encoded;

    cr_assert_eq(pay_base64_encode(arena, PAY_STR(KIT_ID ":" KIT_SECRET),
                                   &encoded), PAY_OK);
    cr_assert_eq(pay_dup(arena, encoded, &whole), PAY_OK);

    return contains(text, "CANARY") || contains(text, KIT_SECRET)
           || contains(text, (const char *) whole.data);
}


Test(pay_conformance_requests, secrets_stand_in_the_key_field_alone)
{
    unsigned                  i, j, held;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_http_field_t         *field;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        for (i = 0; i < WAYS; i++) {
            if (!has_way(psp, ways[i])) {
                continue;
            }

            heap = pay_heap_create();
            arena = pay_heap_arena(heap);
            request = built(arena, psp, ways[i], OPERATION);
            cr_expect_not(holds_secret(arena, request.url), "%s", psp->name);
            cr_expect_not(holds_secret(arena, request.body), "%s", psp->name);
            held = 0;

            for (j = 0; j < request.field_count; j++) {
                field = &request.fields[j];

                if (pay_str_is(field->name, "Authorization")
                    || pay_str_is(field->name, "X-API-Key"))
                {
                    held += (unsigned) holds_secret(arena, field->value);
                    continue;
                }

                cr_expect_not(holds_secret(arena, field->value), "%s: %.*s",
                              psp->name, pay_fmt(field->name));
            }

            /* with a token to fetch, only fetching it shows the key */
            cr_expect_eq(held, psp->auth_request == NULL
                               || ways[i].call == CALL_AUTH, "%s: %u",
                         psp->name, i);
            pay_heap_destroy(heap);
        }
    }
}


Test(pay_conformance_requests, a_key_that_breaks_out_of_its_header_stays_here)
{
    unsigned                  i, j;
    pay_heap_t               *heap;
    pay_status_t              status;
    pay_psp_checkout_t        order = order_make();
    const kit_table_t        *table;
    pay_psp_account_t         bad;
    pay_psp_change_t          change;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    static const pay_str_t  keys[] = {
        pay_string(""), pay_string("a b:c"), pay_string("a:\r\nX: y"),
        pay_string("a:b\0c"), pay_string("k:\xc3\xa4")
    };

    EACH_ROW(psp) {
        table = kit_table(psp);
        bad = kit_account(table);

        for (i = 0; i < WAYS; i++) {
            if (!has_way(psp, ways[i])
                || (psp->auth_request != NULL && ways[i].call != CALL_AUTH))
            {
                continue;
            }

            for (j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
                heap = pay_heap_create();
                bad.api_key = keys[j];
                change = kit_change(table, ways[i].kind);

                status = (ways[i].call == CALL_REGISTER)
                         ? psp->register_request(pay_heap_arena(heap), &bad,
                                                 &order, &request, NULL)
                         : is_question(ways[i])
                         ? ask(pay_heap_arena(heap), psp, ways[i], &bad,
                               &order, &request)
                         : (ways[i].call == CALL_AUTH)
                         ? psp->auth_request(pay_heap_arena(heap), &bad,
                                             &request)
                         : psp->change_request(pay_heap_arena(heap), &bad,
                                               &change, &request, NULL);
                cr_expect_eq(status, PAY_BUG, "%s: %u %u", psp->name, i, j);
                pay_heap_destroy(heap);
            }
        }
    }
}


/* --- Idempotency ------------------------------------------------------- */

/* The key of a call: a header's or the body's member, or empty. */
static pay_str_t
idempotency_key(pay_arena_t *arena, const pay_http_request_t *request)
{
    size_t       i, from;
    pay_str_t    key, rest, copy;

    static const char *const  headers[] = {
        "Idempotency-Key", "PayPal-Request-Id"
    };
    static const char  member[] = "\"idempotency_key\":\"";

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        key = field_of(request, headers[i]);

        if (key.len != 0) {
            return key;
        }
    }

    from = request->body.len ? position(request->body, member)
                             : request->body.len;
    if (from == request->body.len) {
        return PAY_STR("");
    }

    rest.data = request->body.data + from + strlen(member);
    rest.len = request->body.len - from - strlen(member);
    rest.len = position(rest, "\"");
    cr_assert_eq(pay_dup(arena, rest, &copy), PAY_OK);

    return copy;
}


/* POSTs have one; PATCH, PUT and DELETE are idempotent by themselves, and so
 * are the few changes that expected.txt calls keyless. */
Test(pay_conformance_requests, each_call_that_moves_something_has_a_key)
{
    unsigned                  i;
    pay_str_t                 key;
    pay_heap_t               *heap;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        for (i = 0; i < WAYS; i++) {
            if (!has_way(psp, ways[i])) {
                continue;
            }

            heap = pay_heap_create();
            request = built(pay_heap_arena(heap), psp, ways[i], OPERATION);
            key = idempotency_key(pay_heap_arena(heap), &request);

            if (is_question(ways[i]) || ways[i].call == CALL_AUTH) {
                cr_expect_eq(key.len, 0, "%s", psp->name);

            } else if (pay_str_is(request.method, "POST")
                       && psp->key_window_hours != 0)
            {
                if (ways[i].call == CALL_CHANGE
                    && contains(pay_str_of(kit_table(psp)->keyless),
                                kit_kinds[ways[i].kind]))
                {
                    cr_expect_eq(key.len, 0, "%s: %u", psp->name, i);
                    pay_heap_destroy(heap);
                    continue;
                }

                cr_expect(key.len > 0 && key.len <= 255, "%s: %u", psp->name,
                          i);
            }

            pay_heap_destroy(heap);
        }
    }
}


Test(pay_conformance_requests, the_same_call_is_the_same_bytes)
{
    unsigned                  i, j;
    pay_heap_t               *heap;
    pay_http_request_t        one, two;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        for (i = 0; i < WAYS; i++) {
            if (!has_way(psp, ways[i])) {
                continue;
            }

            heap = pay_heap_create();
            one = built(pay_heap_arena(heap), psp, ways[i], OPERATION);
            two = built(pay_heap_arena(heap), psp, ways[i], OPERATION);
            cr_expect(pay_str_eq(one.url, two.url)
                      && pay_str_eq(one.body, two.body)
                      && pay_str_eq(one.method, two.method), "%s", psp->name);
            cr_assert_eq(one.field_count, two.field_count);

            for (j = 0; j < one.field_count; j++) {
                cr_expect(pay_str_eq(one.fields[j].name, two.fields[j].name)
                          && pay_str_eq(one.fields[j].value,
                                        two.fields[j].value), "%s",
                          psp->name);
            }

            pay_heap_destroy(heap);
        }
    }
}


/* Different nonces, and different calls for one nonce, are never taken for
 * each other, however long they are. */
Test(pay_conformance_requests, no_two_calls_share_a_key)
{
    unsigned                  i, j, n, count;
    pay_str_t                 keys[64];
    pay_heap_t               *heap;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    static const char *const  ids[] = {
        "a", "A", "order-1", "order-11", "order-1.", "order~1",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
        OPERATION
    };

    EACH_ROW(psp) {
        heap = pay_heap_create();
        count = 0;

        for (i = 0; i < WAYS; i++) {
            for (n = 0; n < sizeof(ids) / sizeof(ids[0]); n++) {
                if (!has_way(psp, ways[i]) || is_question(ways[i])
                    || ways[i].call == CALL_AUTH)
                {
                    continue;
                }

                cr_assert(pay_id_is_valid(pay_str_of(ids[n])));
                request = built(pay_heap_arena(heap), psp, ways[i], ids[n]);
                keys[count] = idempotency_key(pay_heap_arena(heap), &request);
                count += (keys[count].len != 0);
                cr_assert_lt(count, 64);
            }
        }

        for (i = 0; i < count; i++) {
            for (j = i + 1; j < count; j++) {
                cr_expect_not(pay_str_eq(keys[i], keys[j]), "%s: %.*s",
                              psp->name, pay_fmt(keys[i]));
            }
        }

        pay_heap_destroy(heap);
    }
}


/* --- Amounts ----------------------------------------------------------- */

/* The digits that count: without sign, point, leading and trailing zeros. */
static size_t
significant(pay_str_t text, char out[32])
{
    size_t  i, n = 0;

    for (i = 0; i < text.len && n < 31; i++) {
        if (text.data[i] >= '0' && text.data[i] <= '9'
            && (n != 0 || text.data[i] != '0'))
        {
            out[n++] = (char) text.data[i];
        }
    }

    while (n != 0 && out[n - 1] == '0') {
        n--;
    }

    out[n] = '\0';

    return n;
}


/* 1 when a number stands in the body whose digits are those of `minor`. */
static int
body_has_amount(pay_str_t body, int64_t minor)
{
    char       wanted[32], found[32], text[32];
    size_t     i, from;
    pay_str_t  number;

    snprintf(text, sizeof(text), "%lld", (long long) minor);
    significant(pay_str_of(text), wanted);

    for (i = 0; i < body.len; i++) {
        from = i;

        while (i < body.len && ((body.data[i] >= '0' && body.data[i] <= '9')
                                || (i > from && body.data[i] == '.')))
        {
            i++;
        }

        number = (pay_str_t) { i - from, body.data + from };

        if (number.len != 0 && number.len < 32
            && (from == 0 || body.data[from - 1] != '%'))
        {
            significant(number, found);

            if (strcmp(found, wanted) == 0) {
                return 1;
            }
        }
    }

    return 0;
}


/* No amount is rounded, cut or sent through a float; what the PSP cannot take
 * is refused with its word. */
Test(pay_conformance_requests, amounts_keep_their_precision_in_all_currencies)
{
    unsigned                  i, j, taken;
    pay_err_t                 err;
    pay_heap_t               *heap;
    pay_status_t              status;
    pay_http_request_t        request;
    const pay_currency_t     *currency;
    const pay_psp_adapter_t  *psp;

    static const int64_t  amounts[] = {
        1, 10, 12, 99, 100, 1000, 1010, 12345, 123450, 1234567,
        INT64_C(90071992547409), INT64_C(900719925474099),
        INT64_C(123456789012345), INT64_C(123456789012340),
        INT64_C(999999999999000), PAY_AMOUNT_MAX_MINOR
    };

    memset(&err, 0, sizeof(err));

    EACH_ROW(psp) {
        taken = 0;

        for (currency = pay_currency_table(); currency->code[0] != '\0';
             currency++)
        {
            for (i = 0; i < WAYS; i++) {
                if (!has_way(psp, ways[i]) || is_question(ways[i])
                    || ways[i].call == CALL_AUTH
                    || (ways[i].call == CALL_CHANGE
                        && (ways[i].kind == PAY_PSP_CANCEL
                            || ways[i].kind == PAY_PSP_EXPIRE)))
                {
                    continue;
                }

                for (j = 0; j < sizeof(amounts) / sizeof(amounts[0]); j++) {
                    heap = pay_heap_create();
                    status = build(pay_heap_arena(heap), psp, ways[i], "a",
                                   currency, amounts[j], &request);
                    cr_assert(status == PAY_OK || status == PAY_INVALID,
                              "%s %s: %d", psp->name, currency->code, status);

                    if (status == PAY_OK
                        && (request.body.len != 0
                            || ways[i].call == CALL_REGISTER)
                        && contains(request.body, "mount"))
                    {
                        cr_expect(body_has_amount(request.body, amounts[j]),
                                  "%s %s %lld: %.*s", psp->name,
                                  currency->code, (long long) amounts[j],
                                  pay_fmt(request.body));
                    }

                    taken += (status == PAY_OK);
                    pay_heap_destroy(heap);
                }
            }
        }

        cr_expect(psp->register_request == NULL || taken > 500, "%s: %u",
                  psp->name, taken);
    }
}


Test(pay_conformance_requests, what_cannot_be_sent_is_refused_with_its_word)
{
    unsigned                  j;
    pay_err_t                 err;
    pay_heap_t               *heap;
    pay_status_t              status;
    pay_psp_checkout_t        order;
    const kit_table_t        *table;
    pay_psp_account_t         ours;
    pay_http_request_t        request;
    const pay_currency_t     *currency;
    const pay_psp_adapter_t  *psp;

    static const int64_t  amounts[] = { 1, 12, 123, 1234, 12345 };

    EACH_ROW(psp) {
        if (psp->register_request == NULL) {
            continue;
        }

        table = kit_table(psp);
        ours = kit_account(table);

        for (currency = pay_currency_table(); currency->code[0] != '\0';
             currency++)
        {
            for (j = 0; j < sizeof(amounts) / sizeof(amounts[0]); j++) {
                heap = pay_heap_create();
                memset(&err, 0, sizeof(err));
                order = order_of(currency, amounts[j]);
                status = psp->register_request(pay_heap_arena(heap), &ours,
                                               &order, &request, &err);

                if (status != PAY_OK) {
                    cr_assert_eq(status, PAY_INVALID);
                    cr_expect(strcmp(err.slug, "currency-unsupported") == 0
                              || strcmp(err.slug, "amount-invalid") == 0,
                              "%s %s: %s", psp->name, currency->code,
                              err.slug);
                }

                pay_heap_destroy(heap);
            }
        }
    }
}


/* --- What is not sane -------------------------------------------------- */

Test(pay_conformance_requests, an_order_that_is_not_sane_is_never_sent)
{
    unsigned                  i;
    pay_heap_t               *heap;
    const kit_table_t        *table;
    pay_psp_checkout_t        bad[13];
    pay_psp_account_t         ours;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    for (i = 0; i < 13; i++) {
        bad[i] = order_make();
    }

    bad[0].nonce = PAY_STR("");
    bad[1].nonce = PAY_STR("a\r\nX-Evil: 1");
    bad[2].nonce = PAY_STR("a:capture");
    bad[3].merchant_reference = PAY_STR("");
    bad[4].merchant_reference = PAY_STR("a b");
    bad[5].currency = NULL;
    bad[6].amount_minor = 2999;
    bad[7].lines[0].amount_minor = -1000;
    bad[8].lines[0].amount_minor = INT64_MAX;
    bad[9].line_count = 0;
    bad[10].line_count = PAY_PSP_LINES_MAX + 1;
    bad[11].return_url = PAY_STR("https://pay.example.com/a b");
    bad[12].lines[1].payment_order_id = PAY_STR("");

    EACH_ROW(psp) {
        if (psp->register_request == NULL) {
            continue;
        }

        table = kit_table(psp);
        ours = kit_account(table);

        for (i = 0; i < 13; i++) {
            heap = pay_heap_create();
            cr_expect_eq(psp->register_request(pay_heap_arena(heap), &ours,
                                               &bad[i], &request, NULL),
                         PAY_BUG, "%s took %u", psp->name, i);
            pay_heap_destroy(heap);
        }
    }
}


Test(pay_conformance_requests, a_change_that_is_not_sane_is_never_sent)
{
    unsigned                  i, kind;
    pay_heap_t               *heap;
    pay_status_t              status;
    const kit_table_t        *table;
    pay_psp_change_t          bad[8];
    pay_psp_account_t         ours;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);
        ours = kit_account(table);

        for (kind = 0; kind < PAY_PSP_CHANGE_COUNT; kind++) {
            if (!kit_can(psp, kind)) {
                continue;
            }

            for (i = 0; i < 8; i++) {
                bad[i] = kit_change(table, (pay_psp_change_kind_t) kind);
            }

            bad[0].key = PAY_STR("");
            bad[1].key = PAY_STR("a\r\nX-Evil: 1");
            bad[2].key = PAY_STR("a:b");
            bad[3].merchant_reference = PAY_STR("a b");
            bad[4].currency = NULL;
            bad[5].kind = (pay_psp_change_kind_t) PAY_PSP_CHANGE_COUNT;
            bad[6].reason = PAY_STR("a\nb");
            bad[7].amount_minor = (kind == PAY_PSP_CANCEL
                                   || kind == PAY_PSP_EXPIRE) ? 3000 : 0;

            for (i = 0; i < 8; i++) {
                if (bad[i].amount_minor == 3000 && i == 7) {
                    continue;
                }

                heap = pay_heap_create();
                status = psp->change_request(pay_heap_arena(heap), &ours,
                                             &bad[i], &request, NULL);
                cr_expect(status == PAY_BUG || status == PAY_INVALID,
                          "%s %s took %u", psp->name, kit_kinds[kind], i);
                pay_heap_destroy(heap);
            }
        }
    }
}


Test(pay_conformance_requests, a_kind_that_it_cannot_do_is_refused)
{
    unsigned                  kind;
    pay_err_t                 err;
    pay_heap_t               *heap;
    pay_status_t              status;
    const kit_table_t        *table;
    pay_psp_change_t          change;
    pay_psp_account_t         ours;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);
        ours = kit_account(table);

        for (kind = 0; kind < PAY_PSP_CHANGE_COUNT; kind++) {
            if (psp->change_request == NULL || kit_can(psp, kind)) {
                continue;
            }

            heap = pay_heap_create();
            memset(&err, 0, sizeof(err));
            change = kit_change(table, (pay_psp_change_kind_t) kind);
            status = psp->change_request(pay_heap_arena(heap), &ours, &change,
                                         &request, &err);
            cr_expect_eq(status, PAY_INVALID, "%s %s", psp->name,
                         kit_kinds[kind]);
            cr_expect_str_eq(err.slug, "validation-error", "%s", psp->name);
            pay_heap_destroy(heap);
        }
    }
}


static int
holds(pay_str_t text, pay_str_t part)
{
    size_t  i;

    for (i = 0; i + part.len <= text.len; i++) {
        if (memcmp(text.data + i, part.data, part.len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* An id of the PSP that would lead to another path or break a body. */
Test(pay_conformance_requests, an_id_that_changes_the_path_is_never_sent)
{
    unsigned                  i, j, kind;
    pay_str_t                 huge;
    pay_heap_t               *heap;
    const kit_table_t        *table;
    pay_psp_change_t          change;
    pay_psp_account_t         ours;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    static unsigned char  long_id[PAY_PSP_TOKEN_MAX + 1];
    static pay_str_t      ids[] = {
        pay_string("a/b"), pay_string(".."), pay_string("a?b"),
        pay_string("a#b"), pay_string("a%2fb"), pay_string("a b"),
        pay_string("a\"b"), pay_string("a&b=c"), pay_string("a\r\nb"),
        pay_string("a\0"), { sizeof(long_id), long_id }
    };

    memset(long_id, 'a', sizeof(long_id));
    huge = (pay_str_t) { sizeof(long_id), long_id };

    EACH_ROW(psp) {
        table = kit_table(psp);
        ours = kit_account(table);

        for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
            heap = pay_heap_create();

            if (psp->query_request != NULL) {
                cr_expect_eq(psp->query_request(pay_heap_arena(heap), &ours,
                                                ids[i], &request), PAY_BUG,
                             "%s asked for %u", psp->name, i);
                cr_expect_eq(psp->query_request(pay_heap_arena(heap), &ours,
                                                PAY_STR(""), &request),
                             PAY_BUG);
            }

            for (kind = 0; kind < PAY_PSP_CHANGE_COUNT; kind++) {
                for (j = 0; kit_can(psp, kind) && j < 3; j++) {
                    change = kit_change(table, (pay_psp_change_kind_t) kind);
                    *(j == 0 ? &change.token : j == 1 ? &change.alias
                                                      : &change.reference)
                        = ids[i];

                    if (psp->change_request(pay_heap_arena(heap), &ours,
                                            &change, &request, NULL)
                        != PAY_OK)
                    {
                        continue;
                    }

                    /* taken: because this call does not use that id */
                    cr_expect_not(holds(request.url, ids[i]), "%s %s: %.*s",
                                  psp->name, kit_kinds[kind],
                                  pay_fmt(request.url));
                    cr_expect_not(holds(request.body, huge), "%s", psp->name);
                }
            }

            pay_heap_destroy(heap);
        }
    }
}


/* --- Memory ------------------------------------------------------------ */

/* Every allocation of every request fails once: an ordinary error each time,
 * and nothing is written. */
Test(pay_conformance_requests, requests_survive_each_failed_allocation)
{
    size_t                    j;
    unsigned                  i, n;
    pay_heap_t               *heap;
    pay_status_t              status;
    pay_http_request_t        request;
    const unsigned char      *bytes = (const unsigned char *) &request;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        for (i = 0; i < WAYS; i++) {
            for (n = 1; has_way(psp, ways[i]) && n <= TORTURE_ROUNDS; n++) {
                heap = pay_heap_create();
                memset(&request, TORTURE_FILL, sizeof(request));
                pay_heap_fail_at(heap, n);
                status = build(pay_heap_arena(heap), psp, ways[i], OPERATION,
                               currency_of("USD"), 3000, &request);

                if (!pay_heap_failed(heap)) {
                    cr_expect_eq(status, PAY_OK);
                    pay_heap_destroy(heap);
                    break;
                }

                cr_expect_eq(status, PAY_NO_MEMORY, "%s: %u", psp->name, i);

                for (j = 0; j < sizeof(request); j++) {
                    cr_assert_eq(bytes[j], TORTURE_FILL, "%s: %u wrote",
                                 psp->name, i);
                }

                pay_heap_destroy(heap);
            }

            cr_expect_leq(n, TORTURE_ROUNDS);
        }
    }
}
