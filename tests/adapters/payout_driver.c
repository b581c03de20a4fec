/*
 * The pay-out adapters behind a pipe: one question in a line of JSON, one
 * answer in a line.  tests/integration/test_mock_payouts.py carries the bytes
 * that the adapters build to the mock providers, and the answers back, so that
 * neither side is held to a copy of the other.  No network; ends with its
 * input.
 *
 *   {"do":"request", …}  → {"method","url","fields","body"}, or {"refused"}
 *   {"do":"answer", …, "status","body"}  → {"outcome","reference","code", …}
 *   {"do":"auth", …}     → as request; with "status" → {"token"}
 *   {"do":"webhook", …, "body"}  → {"events"}, or {"refused"}
 *   {"do":"file", …}     → {"body"}: a file of the parcel's items
 *   {"do":"report", "body"}      → {"events"}, or {"refused"}
 *
 * A question names adapter, call, account and parcel with the members of the
 * structs in pay_payout.h.
 */

#include "pay_payout.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>


#define EVENTS_MAX  1000

typedef struct {
    const pay_payout_adapter_t  *adapter;
    pay_arena_t                 *arena;
    const json_t                *asked;
    pay_payout_call_t            call;
    pay_payout_account_t         account;
    pay_payout_parcel_t          parcel;
} question_t;

typedef json_t *(*work_pt)(const question_t *question);


static json_t *refusal(const char *slug);
static json_t *reply(json_t *asked, pay_arena_t *arena);
static int question_read(question_t *question);
static int item_read(const question_t *question, const json_t *json,
    pay_payout_item_t *item);
static json_t *do_request(const question_t *question);
static json_t *do_answer(const question_t *question);
static json_t *do_auth(const question_t *question);
static json_t *do_webhook(const question_t *question);
static json_t *do_file(const question_t *question);
static json_t *do_report(const question_t *question);
static json_t *request_show(const pay_http_request_t *request);
static json_t *event_show(const pay_payout_event_t *event);
static void answer_read(const question_t *question, pay_http_answer_t *answer);


static const struct {
    const char  *word;
    work_pt      work;
} works[] = {
    { "request", do_request }, { "answer", do_answer }, { "auth", do_auth },
    { "webhook", do_webhook }, { "file", do_file }, { "report", do_report },
    { NULL, NULL }
};

static const char *const  calls[] = { "send", "ask", "find", "cancel" };
static const char *const  kinds[] = { "payee", "iban", "email" };


int
main(void)
{
    char        *line = NULL, *text;
    size_t       size = 0;
    json_t      *asked, *said;
    pay_heap_t  *heap;

    while (getline(&line, &size, stdin) > 0) {
        asked = json_loads(line, 0, NULL);
        heap = pay_heap_create();

        if (asked == NULL || heap == NULL) {
            return 1;
        }

        said = reply(asked, pay_heap_arena(heap));
        text = (said != NULL) ? json_dumps(said, JSON_COMPACT) : NULL;

        if (text == NULL) {
            return 1;
        }

        printf("%s\n", text);
        fflush(stdout);
        free(text);
        json_decref(said);
        json_decref(asked);
        pay_heap_destroy(heap);
    }

    free(line);

    return 0;
}


static pay_str_t
text_of(const json_t *json, const char *name)
{
    const char  *text = json_string_value(json_object_get(json, name));

    return pay_str_of(text != NULL ? text : "");
}


static json_t *
text_json(pay_str_t text)
{
    json_t  *made;

    made = (text.len == 0) ? json_string("")
                           : json_stringn((const char *) text.data, text.len);

    return (made != NULL) ? made : json_string("(no UTF-8)");
}


static json_t *
refusal(const char *slug)
{
    return json_pack("{s:s}", "refused", slug != NULL ? slug : "bug");
}


static json_t *
reply(json_t *asked, pay_arena_t *arena)
{
    unsigned    i;
    pay_str_t   word = text_of(asked, "do");
    question_t  question;

    memset(&question, 0, sizeof(question));
    question.arena = arena;
    question.asked = asked;

    if (!question_read(&question)) {
        return refusal("no such question");
    }

    for (i = 0; works[i].word != NULL; i++) {
        if (pay_str_is(word, works[i].word)) {
            return works[i].work(&question);
        }
    }

    return refusal("no such question");
}


static int
question_read(question_t *question)
{
    size_t              i, count;
    const json_t       *json = question->asked;
    const json_t       *account = json_object_get(json, "account");
    const json_t       *parcel = json_object_get(json, "parcel");
    const json_t       *items = json_object_get(parcel, "items");
    const json_t       *ids = json_object_get(parcel, "ids");
    pay_payout_item_t  *made;

    question->adapter = pay_payout_find(text_of(json, "adapter"));

    for (i = 0; i < PAY_PAYOUT_CALL_COUNT; i++) {
        if (pay_str_is(text_of(json, "call"), calls[i])) {
            question->call = (pay_payout_call_t) i;
        }
    }

    question->account.call.base_url = text_of(account, "base_url");
    question->account.call.api_key = text_of(account, "api_key");
    question->account.call.account = text_of(account, "account");
    question->account.call.live = 0;
    question->account.debtor_name = text_of(account, "debtor_name");
    question->account.debtor_iban = text_of(account, "debtor_iban");
    question->account.debtor_bic = text_of(account, "debtor_bic");

    question->parcel.key = text_of(parcel, "key");
    question->parcel.cursor = text_of(parcel, "cursor");
    question->parcel.execute_on = text_of(parcel, "execute_on");
    question->parcel.made_s =
        json_integer_value(json_object_get(parcel, "made_s"));
    question->parcel.step =
        (unsigned) json_integer_value(json_object_get(parcel, "step"));

    for (i = 0; i < json_array_size(ids) && i < PAY_PAYOUT_STEPS_MAX; i++) {
        question->parcel.ids[i] =
            pay_str_of(json_string_value(json_array_get(ids, i)));
    }

    count = json_array_size(items);
    made = pay_calloc(question->arena, (count + 1) * sizeof(*made));
    question->parcel.items = made;
    question->parcel.count = (unsigned) count;

    for (i = 0; made != NULL && i < count; i++) {
        if (!item_read(question, json_array_get(items, i), &made[i])) {
            return 0;
        }
    }

    return question->adapter != NULL && made != NULL;
}


static int
item_read(const question_t *question, const json_t *json,
    pay_payout_item_t *item)
{
    unsigned       i;
    const json_t  *to = json_object_get(json, "to");

    (void) question;

    item->key = text_of(json, "key");
    item->text = text_of(json, "text");
    item->amount_minor =
        json_integer_value(json_object_get(json, "amount_minor"));
    item->to.payee = text_of(to, "payee");
    item->to.iban = text_of(to, "iban");
    item->to.bic = text_of(to, "bic");
    item->to.name = text_of(to, "name");
    item->to.country = text_of(to, "country");

    for (i = 0; i < PAY_PAYOUT_TO_COUNT; i++) {
        if (pay_str_is(text_of(to, "kind"), kinds[i])) {
            item->to.kind = (pay_payout_to_t) i;
        }
    }

    return pay_currency_find(text_of(json, "currency"), &item->currency, NULL)
           == PAY_OK;
}


static json_t *
do_request(const question_t *question)
{
    pay_err_t           err;
    pay_status_t        status;
    pay_http_request_t  request;

    memset(&err, 0, sizeof(err));
    status = pay_payout_request(question->arena, question->adapter,
                                question->call, &question->account,
                                &question->parcel, &request, &err);

    return (status == PAY_OK) ? request_show(&request)
                              : refusal(status == PAY_INVALID ? err.slug
                                                              : NULL);
}


static json_t *
do_answer(const question_t *question)
{
    json_t               *events = json_array();
    unsigned              i;
    pay_status_t          status;
    pay_http_answer_t     answer;
    pay_payout_result_t   result;

    static const char *const  outcomes[] = {
        [PAY_PSP_DONE] = "done", [PAY_PSP_PENDING] = "pending",
        [PAY_PSP_REFUSED] = "refused", [PAY_PSP_NOT_SENT] = "not-sent",
        [PAY_PSP_UNKNOWN] = "unknown"
    };

    answer_read(question, &answer);
    status = pay_payout_answer(question->arena, question->adapter,
                               question->call, &question->parcel, &answer,
                               &result);

    if (status != PAY_OK) {
        json_decref(events);
        return refusal(NULL);
    }

    for (i = 0; i < result.count; i++) {
        json_array_append_new(events, event_show(&result.events[i]));
    }

    return json_pack("{s:s, s:o, s:o, s:b, s:o, s:o}",
                     "outcome", outcomes[result.outcome],
                     "reference", text_json(result.reference),
                     "code", text_json(result.code),
                     "is_ours", result.is_ours,
                     "next", text_json(result.next),
                     "events", events);
}


static void
answer_read(const question_t *question, pay_http_answer_t *answer)
{
    memset(answer, 0, sizeof(*answer));
    answer->retry_after_s = -1;
    answer->should_retry = -1;
    answer->status = (unsigned)
        json_integer_value(json_object_get(question->asked, "status"));
    answer->body = text_of(question->asked, "body");
    answer->content_type = PAY_STR("application/json");
    answer->sent = answer->status != 0 ? PAY_ANSWERED : PAY_SENT_SOME;
    answer->reach = answer->status != 0 ? PAY_REACH_COMPLETE
                                        : PAY_REACH_WRITTEN;
    answer->failure = answer->status != 0 ? PAY_FAILURE_NONE
                                          : PAY_FAILURE_BROKEN;
}


static json_t *
do_auth(const question_t *question)
{
    pay_status_t        status;
    pay_psp_auth_t      auth;
    pay_http_answer_t   answer;
    pay_http_request_t  request;

    if (json_object_get(question->asked, "status") == NULL) {
        memset(&request, 0, sizeof(request));
        status = pay_payout_auth_request(question->arena, question->adapter,
                                         &question->account, &request);

        return (status == PAY_OK) ? request_show(&request)
                                  : refusal("not-found");
    }

    answer_read(question, &answer);
    status = pay_payout_auth_answer(question->arena, question->adapter,
                                    &answer, &auth);

    return (status == PAY_OK) ? json_pack("{s:o}", "token",
                                          text_json(auth.token))
                              : refusal("invalid");
}


static json_t *
do_webhook(const question_t *question)
{
    json_t              *list;
    unsigned             i, count;
    pay_err_t            err;
    pay_status_t         status;
    pay_payout_event_t  *events;

    memset(&err, 0, sizeof(err));
    status = pay_payout_webhook(question->arena, question->adapter,
                                &question->account,
                                text_of(question->asked, "body"), &events,
                                &count, &err);

    if (status != PAY_OK) {
        return refusal(err.slug);
    }

    list = json_array();

    for (i = 0; i < count; i++) {
        json_array_append_new(list, event_show(&events[i]));
    }

    return json_pack("{s:o}", "events", list);
}


static pay_status_t
file_add(void *data, pay_str_t bytes)
{
    return fwrite(bytes.data, 1, bytes.len, data) == bytes.len
           ? PAY_OK : PAY_NO_MEMORY;
}


/* The bytes stand in the answer, as no file of ours is opened here. */
static json_t *
do_file(const question_t *question)
{
    char               *text = NULL;
    FILE               *out;
    size_t              size = 0;
    json_t             *said;
    unsigned            i;
    pay_err_t           err;
    pay_status_t        status;
    pay_payout_file_t   file;
    pay_payout_sums_t   sums = { question->parcel.count, 0 };

    memset(&err, 0, sizeof(err));
    out = open_memstream(&text, &size);

    if (out == NULL) {
        return NULL;
    }

    for (i = 0; i < question->parcel.count; i++) {
        sums.minor += question->parcel.items[i].amount_minor;
    }

    status = pay_payout_file_begin(&file, question->arena, &question->account,
                                   &question->parcel, &sums, file_add, out,
                                   &err);

    for (i = 0; status == PAY_OK && i < question->parcel.count; i++) {
        status = pay_payout_file_item(&file, &question->parcel.items[i],
                                      &err);
    }

    status = (status == PAY_OK) ? pay_payout_file_end(&file) : status;
    fclose(out);
    said = (status == PAY_OK)
           ? json_pack("{s:s}", "body", text)
           : refusal(status == PAY_INVALID ? err.slug : NULL);
    free(text);

    return said;
}


static pay_status_t
report_told(void *data, const pay_payout_event_t *event)
{
    json_t  *list = data;

    return (json_array_size(list) < EVENTS_MAX
            && json_array_append_new(list, event_show(event)) == 0)
           ? PAY_OK : PAY_NO_MEMORY;
}


static json_t *
do_report(const question_t *question)
{
    json_t               *list = json_array();
    int64_t               line;
    const char           *why;
    pay_status_t          status;
    pay_payout_report_t  *report = NULL;

    status = pay_payout_report_open(question->arena, report_told, list,
                                    &report);

    if (status == PAY_OK) {
        status = pay_payout_report_feed(report,
                                        text_of(question->asked, "body"));
    }

    if (status == PAY_OK) {
        status = pay_payout_report_end(report);
    }

    why = (status != PAY_OK && report != NULL)
          ? pay_payout_report_refusal(report, &line) : NULL;
    pay_payout_report_close(report);

    if (status != PAY_OK) {
        json_decref(list);
        return refusal(why);
    }

    return json_pack("{s:o}", "events", list);
}


static json_t *
request_show(const pay_http_request_t *request)
{
    json_t    *fields = json_object();
    unsigned   i;

    for (i = 0; i < request->field_count; i++) {
        json_object_setn_new(fields,
                             (const char *) request->fields[i].name.data,
                             request->fields[i].name.len,
                             text_json(request->fields[i].value));
    }

    return json_pack("{s:o, s:o, s:o, s:o}",
                     "method", text_json(request->method),
                     "url", text_json(request->url),
                     "fields", fields,
                     "body", text_json(request->body));
}


static json_t *
event_show(const pay_payout_event_t *event)
{
    json_t  *made;

    made = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "state", pay_payout_state_name(event->state),
                     "event_id", text_json(event->event_id),
                     "type", text_json(event->type),
                     "key", text_json(event->key),
                     "reference", text_json(event->reference),
                     "parcel", text_json(event->parcel),
                     "payee", text_json(event->payee),
                     "code", text_json(event->code),
                     "account_end", text_json(event->account_end));

    json_object_set_new(made, "is_ours", json_boolean(event->is_ours));
    json_object_set_new(made, "must_ask", json_boolean(event->must_ask));
    json_object_set_new(made, "occurred_us",
                        json_integer(event->occurred_us));
    json_object_set_new(made, "sequence", json_integer(event->sequence));

    if (event->has_amount) {
        json_object_set_new(made, "amount_minor",
                            json_integer(event->amount_minor));
        json_object_set_new(made, "currency", text_json(event->currency));
    }

    if (event->has_fee) {
        json_object_set_new(made, "fee_minor",
                            json_integer(event->fee_minor));
        json_object_set_new(made, "fee_currency",
                            text_json(event->fee_currency));
    }

    return made;
}
