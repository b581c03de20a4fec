/*
 * A webhook that proves nothing about its sender is kept for operators: the
 * reason of its refusal, and as much of it as shows the cause.  It is a
 * diagnostic, not a path: no code ever applies its content.
 */

#include "flow_util.h"
#include "pay_pan.h"


/* Limits of a sample, in bytes and in headers: a forger decides about the size
 * of the message, the table's limits about the size of a row
 * (sql/functions/77_quarantine.sql). */
#define BODY_MAX     4096
#define PAN_MARGIN   128       /* longer than a number with its separators */
#define HEADERS_MAX  24
#define NAME_MAX     64
#define VALUE_MAX    256
#define OTHERS_MAX   32        /* blocks that a forged webhook is tried with */


static int is_another_blocks(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_sig_input_t *input);
static int is_altered(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_sig_input_t *input);
static int fits(pay_flow_t *flow, const pay_sig_scheme_t *scheme,
    const pay_sig_input_t *input);
static pay_status_t headers_json(pay_flow_t *flow,
    const pay_webhook_input_t *input, pay_str_t *text);
static pay_status_t add_header(pay_flow_t *flow, pay_json_t *json,
    const pay_header_t *header);
static int is_private(const pay_header_t *header);
static pay_str_t beginning(pay_str_t body);


/* A literal, one of the words that sql/functions/77_quarantine.sql allows.
 * The two trials behind a mismatch cost a few more digests of a body that is
 * bounded, and only while the quarantine takes samples (`may_quarantine`). */
const char *
pay_quarantine_why(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_sig_input_t *input, const pay_sig_result_t *result)
{
    switch (result->verdict) {

    case PAY_SIG_HEADER_MISSING:
        return "no_key";

    case PAY_SIG_TIMESTAMP:
        return (result->ahead == 0) ? "malformed"
               : (result->ahead < 0) ? "stale" : "skew";

    case PAY_SIG_CERT_INVALID:
        return "certificate";

    case PAY_SIG_MISMATCH:
        return is_another_blocks(flow, psp, input) ? "wrong_key"
               : is_altered(flow, psp, input) ? "altered_body" : "mismatch";

    default:
        return "malformed";
    }
}


/* Signed for another payments_psp block: the endpoints are mixed up.  Only
 * blocks of one scheme can be mixed up, because the header differs
 * otherwise.  Of many such blocks the first are tried: each costs a digest of
 * the body, for a sender who may be anybody. */
static int
is_another_blocks(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_sig_input_t *input)
{
    size_t                 i;
    unsigned               count = 0;
    const pay_psp_conf_t  *other;
    pay_sig_input_t        tried = *input;

    for (i = 0; i < flow->env->psp_count && count < OTHERS_MAX; i++) {
        other = &flow->env->psps[i];

        if (other == psp || other->scheme != psp->scheme) {
            continue;
        }

        count++;

        tried.keys = other->webhook_keys;
        tried.key_count = other->webhook_key_count;
        tried.settings = &other->settings;

        if (fits(flow, other->scheme, &tried)) {
            return 1;
        }
    }

    return 0;
}


/* Does the same as proxies do: white space at the end is removed, a line end
 * is added.  A MAC that fits the repaired body proves that the sender is the
 * PSP; it is nevertheless refused, since W1 wants the bytes as they came. */
static int
is_altered(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_sig_input_t *input)
{
    pay_buf_t        buf;
    pay_sig_input_t  tried = *input;

    while (tried.body.len > 0 && tried.body.data[tried.body.len - 1] <= ' ') {
        tried.body.len--;
    }

    if (tried.body.len < input->body.len
        && fits(flow, psp->scheme, &tried))
    {
        return 1;
    }

    pay_buf_init(&buf, flow->arena, input->body.len + 2);
    pay_buf_add(&buf, tried.body);
    pay_buf_text(&buf, "\n");

    return pay_buf_done(&buf, &tried.body) == PAY_OK
           && fits(flow, psp->scheme, &tried);
}


/* The verdict alone counts; ids of the trial are thrown away. */
static int
fits(pay_flow_t *flow, const pay_sig_scheme_t *scheme,
    const pay_sig_input_t *input)
{
    pay_sig_result_t  result;

    memset(&result, 0, sizeof(result));

    return scheme->verify(flow->arena, input, &result) == PAY_SIG_VALID;
}


/* The digest is that of the whole body, so that operators find a message at
 * the PSP whose end is not in the sample; `size` is that of the whole, too. */
pay_status_t
pay_quarantine_fill(pay_flow_t *flow, const pay_webhook_input_t *input,
    const char *why, pay_quarantine_webhook_in_t *in)
{
    unsigned char  *digest;

    digest = pay_alloc(flow->arena, PAY_SHA256_SIZE);
    if (digest == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_sha256(input->body, digest));

    *in = (pay_quarantine_webhook_in_t) {
        .psp = input->psp->name,
        .reason = pay_str_of(why),
        .digest = { PAY_SHA256_SIZE, digest },
        .body = beginning(input->body),
        .size = (int64_t) input->body.len,
        .request_id = flow->request_id
    };

    return headers_json(flow, input, &in->headers);
}


/* An array of pairs, not an object: a doubled header is often the cause of the
 * refusal and must stay visible. */
static pay_status_t
headers_json(pay_flow_t *flow, const pay_webhook_input_t *input,
    pay_str_t *text)
{
    size_t        i;
    unsigned      count;
    pay_json_t   *json;
    pay_status_t  status;

    json = pay_json_array_new();
    status = (json == NULL) ? PAY_NO_MEMORY : PAY_OK;

    for (i = 0, count = 0;
         status == PAY_OK && i < input->header_count && count < HEADERS_MAX;
         i++)
    {
        if (!is_private(&input->headers[i])) {
            status = add_header(flow, json, &input->headers[i]);
            count++;
        }
    }

    if (status == PAY_OK) {
        status = pay_json_write(flow->arena, json, text);
    }

    pay_json_free(json);

    return status;
}


/* Name and value pass pay_redact(): a sender may put a card number into any
 * header.  The pair belongs to the array once it is appended. */
static pay_status_t
add_header(pay_flow_t *flow, pay_json_t *json, const pay_header_t *header)
{
    pay_str_t    name, value;
    pay_json_t  *pair;

    PAY_TRY(pay_redact(flow->arena, header->name, NAME_MAX, &name));
    PAY_TRY(pay_redact(flow->arena, header->value, VALUE_MAX, &value));

    pair = pay_json_object_new();

    if (pair != NULL
        && pay_json_set_string(pair, "name", name) == PAY_OK
        && pay_json_set_string(pair, "value", value) == PAY_OK)
    {
        return pay_json_append(json, pair);
    }

    pay_json_free(pair);

    return PAY_NO_MEMORY;
}


/* Credentials, which a proxy in front may have added, must not reach a table
 * that operators and auditors read. */
static int
is_private(const pay_header_t *header)
{
    unsigned                  i;
    pay_str_t                 value;
    static const char *const  names[] = {
        "authorization", "proxy-authorization", "cookie"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (pay_header_find(header, 1, names[i], &value) == PAY_OK) {
            return 1;
        }
    }

    return 0;
}


/* A card number is kept nowhere, a forger's neither: not even the part of one
 * through which the cut goes.  What is not kept is not looked at. */
static pay_str_t
beginning(pay_str_t body)
{
    body.len = body.len < BODY_MAX + PAN_MARGIN ? body.len
                                                : BODY_MAX + PAN_MARGIN;

    if (pay_pan_found(body)) {
        return PAY_STR("");
    }

    body.len = body.len < BODY_MAX ? body.len : BODY_MAX;

    return body;
}
