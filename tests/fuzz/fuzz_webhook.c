/*
 * Fuzz target: webhooks and PSP answers.  Input: a byte that names which
 * headers and which time, three headers of one length byte and text each, a
 * byte of HTTP status, then the body.  All schemes judge it and all adapters
 * read it; what must hold for any input is checked.
 */

#include "fuzz.h"

#include "pay_psp.h"
#include "pay_sig.h"


#define NOW     INT64_C(1795238460)
#define KEY     "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
#define HEADERS  3

#define must     FUZZ_CHECK

typedef struct {
    const unsigned char  *data;
    size_t                len;
} input_t;


static unsigned char take(input_t *in);
static pay_str_t take_text(input_t *in);
static void walk_schemes(pay_arena_t *arena, pay_sig_input_t *input);
static void walk_adapters(pay_arena_t *arena, pay_str_t id, unsigned status,
    pay_str_t body);
static void check_events(const pay_psp_event_t *events, unsigned count);
static void check_word(pay_str_t word, size_t max);


static const char *const  names[][HEADERS] = {
    { "Stripe-Signature", "x-a", "x-b" },
    { "webhook-id", "webhook-timestamp", "webhook-signature" },
    { "svix-id", "svix-timestamp", "svix-signature" },
    { "webhook-id", "Webhook-Id", "stripe-signature" }
};

static const unsigned  statuses[] = {
    200, 201, 202, 302, 400, 401, 402, 404, 409, 422, 429, 500
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t           in = { data, size };
    unsigned          i, choice, status;
    pay_heap_t       *heap;
    pay_header_t      headers[HEADERS];
    pay_secret_t      key;
    pay_sig_input_t   input;

    heap = pay_heap_create();
    must(heap != NULL);

    choice = take(&in);

    for (i = 0; i < HEADERS; i++) {
        headers[i].name = pay_str_of(names[choice & 3][i]);
        headers[i].value = take_text(&in);
    }

    status = statuses[take(&in) % (sizeof(statuses) / sizeof(statuses[0]))];

    memset(&input, 0, sizeof(input));
    input.headers = headers;
    input.header_count = HEADERS;
    input.body = (pay_str_t) { in.len, in.data };
    input.keys = &key;
    input.key_count = 1;
    input.now_s = (choice & 4) ? 0 : (choice & 8) ? INT64_MAX : NOW;
    input.tolerance_s = PAY_SIG_TOLERANCE_S;

    walk_schemes(pay_heap_arena(heap), &input);
    walk_adapters(pay_heap_arena(heap), headers[0].value, status, input.body);

    pay_heap_destroy(heap);

    return 0;
}


static unsigned char
take(input_t *in)
{
    if (in->len == 0) {
        return 0;
    }

    in->len--;

    return *in->data++;
}


static pay_str_t
take_text(input_t *in)
{
    size_t     len = take(in);
    pay_str_t  text = { len < in->len ? len : in->len, in->data };

    in->data += text.len;
    in->len -= text.len;

    return text;
}


/* The fuzzer knows no way to a right MAC but ours: nothing of its own may be
 * valid, and what we sign must be. */
static void
walk_schemes(pay_arena_t *arena, pay_sig_input_t *input)
{
    size_t                         count;
    pay_err_t                      err;
    pay_secret_t                   key, odd;
    pay_header_t                   own[4];
    pay_sig_input_t                signed_input;
    pay_sig_result_t               result;
    const pay_sig_scheme_t *const  *scheme;

    for (scheme = pay_sig_table(); *scheme != NULL; scheme++) {
        must((*scheme)->key_parse(PAY_STR(KEY), &key, NULL) == PAY_OK);

        if ((*scheme)->key_parse(input->headers[0].value, &odd, &err)
            != PAY_OK)
        {
            fuzz_refused(&err);
        }

        input->keys = &key;
        (void) (*scheme)->verify(arena, input, &result);
        must(result.verdict != PAY_SIG_ERROR);
        must(result.verdict == PAY_SIG_VALID || result.event_id.len == 0);

        signed_input = *input;
        signed_input.now_s = NOW;
        signed_input.headers = own;

        must((*scheme)->sign(arena, &key, PAY_STR("msg_1"), NOW, input->body,
                             own, &count) == PAY_OK);
        signed_input.header_count = count;
        must((*scheme)->verify(arena, &signed_input, &result)
             == PAY_SIG_VALID);

        signed_input.now_s = NOW + PAY_SIG_TOLERANCE_S + 1;
        must((*scheme)->verify(arena, &signed_input, &result)
             == PAY_SIG_TIMESTAMP);
    }
}


static void
walk_adapters(pay_arena_t *arena, pay_str_t id, unsigned status,
    pay_str_t body)
{
    int                             known;
    unsigned                        count;
    pay_err_t                       err;
    pay_psp_event_t                 events[PAY_PSP_EVENTS_MAX];
    pay_psp_order_t                 order;
    pay_http_answer_t               answer;
    pay_psp_registered_t            done;
    const pay_psp_adapter_t *const  *psp;

    memset(&order, 0, sizeof(order));
    order.nonce = PAY_STR("order-1");
    order.reference = PAY_STR("0199c0de-0000-7000-8000-000000000001");
    order.amount_minor = 3000;
    must(pay_currency_find(PAY_STR("USD"), &order.currency, NULL) == PAY_OK);

    memset(&answer, 0, sizeof(answer));
    answer.sent = PAY_ANSWERED;
    answer.status = status;
    answer.body = body;
    answer.retry_after_s = -1;
    answer.should_retry = -1;

    for (psp = pay_psp_table(); *psp != NULL; psp++) {
        count = 0;

        if ((*psp)->webhook_events(arena, id, body, events, &count, &err)
            != PAY_OK)
        {
            fuzz_refused(&err);

        } else {
            must(count >= 1 && count <= PAY_PSP_EVENTS_MAX);
            must(events[0].event_id.len != 0);
            check_events(events, count);
        }

        must((*psp)->register_answer(arena, &order, &answer, &done)
             == PAY_OK);
        check_word(done.code, PAY_PSP_CODE_MAX);
        check_word(done.token, PAY_PSP_TOKEN_MAX);
        must((done.outcome == PAY_PSP_DONE)
             == (done.token.len != 0 && done.hosted_url.len != 0));
        must(done.outcome != PAY_PSP_DONE || status == 200 || status == 201);
        must(done.outcome != PAY_PSP_REFUSED
             || (status >= 400 && status < 500));

        known = -1;
        must((*psp)->query_answer(arena, PAY_STR("t"), &answer, events,
                                  &known) == PAY_OK);
        must(known == 0 || (known == 1 && status == 200));

        if (known) {
            must(pay_str_is(events[0].token, "t"));
            check_events(events, 1);
        }
    }
}


static void
check_events(const pay_psp_event_t *events, unsigned count)
{
    unsigned  i;

    for (i = 0; i < count; i++) {
        check_word(events[i].event_id, PAY_PSP_TOKEN_MAX);
        check_word(events[i].token, PAY_PSP_TOKEN_MAX);
        check_word(events[i].reference, PAY_PSP_TOKEN_MAX);
        check_word(events[i].type, PAY_PSP_CODE_MAX);
        check_word(events[i].code, PAY_PSP_CODE_MAX);

        must(events[i].type.len != 0);
        must((unsigned) events[i].fact < PAY_FACT_COUNT);
        must(events[i].fact == PAY_FACT_NONE || events[i].token.len != 0);
        must(events[i].fact != PAY_FACT_PAID || events[i].has_amount);
        must(!events[i].has_amount
             || (events[i].amount_minor >= 0 && events[i].currency.len == 3));
    }
}


/* Nothing that a log, a header or a page could trip over. */
static void
check_word(pay_str_t word, size_t max)
{
    size_t  i;

    must(word.len <= max);

    for (i = 0; i < word.len; i++) {
        must(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789_.-", word.data[i]) != NULL
             && word.data[i] != '\0');
    }
}
