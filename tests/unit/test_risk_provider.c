/*
 * An external provider of risk: who is asked, what leaves, and that whatever is
 * no answer to the question becomes the word of the configuration.
 */

#include "risk_world.h"

#include "pay_endpoint.h"
#include "pay_json.h"
#include "pay_risk_provider.h"

#include <string.h>


#define SECRET  "CANARY-secret-of-the-provider"
#define BLOCKS  "{\"id\":\"%ID%\",\"decision\":\"block\"}"

static pay_risk_provider_t         provider;
static const pay_risk_provider_t  *providers[2] = { &provider, &provider };


static void
open_world(risk_world_t *world)
{
    risk_world_open(world);
    world->request.checkout_id = PAY_STR("c-1");
    provider = (pay_risk_provider_t) {
        .name = PAY_STR("watch"), .base_url = PAY_STR("https://watch.example"),
        .key_count = 1, .fail = PAY_RISK_REVIEW
    };
    cr_assert_eq(pay_secret_set(&provider.keys[0], PAY_STR(SECRET)), PAY_OK);
    world->risk.providers = providers;
    world->risk.provider_count = 1;
    risk_world_look(world);
}


static pay_http_request_t
question(risk_world_t *world)
{
    pay_http_request_t  request;

    cr_assert_eq(pay_risk_provider_request(world->arena, &world->risk,
                                           &provider, &world->facts,
                                           &request), PAY_OK);

    return request;
}


static pay_json_t *
body_of(risk_world_t *world)
{
    pay_err_t           err;
    pay_json_t         *json;
    pay_http_request_t  request = question(world);

    cr_assert_eq(pay_json_parse(request.body, NULL, &json, &err), PAY_OK);

    return json;
}


static pay_str_t
field(const pay_http_request_t *request, const char *name)
{
    unsigned  i;

    for (i = 0; i < request->field_count; i++) {
        if (pay_str_is(request->fields[i].name, name)) {
            return request->fields[i].value;
        }
    }

    return PAY_STR("");
}


static int
has(pay_str_t text, const char *part)
{
    size_t  i, len = strlen(part);

    for (i = 0; i + len <= text.len; i++) {
        if (memcmp(text.data + i, part, len) == 0) {
            return 1;
        }
    }

    return 0;
}


static pay_risk_word_t
answered(risk_world_t *world, pay_http_answer_t *answer)
{
    pay_risk_word_t  word;

    cr_assert_eq(pay_risk_provider_answer(world->arena, &provider,
                                          &world->facts, answer, &word),
                 PAY_OK);

    return word;
}


/* %ID% in the text is the question's id. */
static pay_risk_word_t
said(risk_world_t *world, const char *text)
{
    pay_buf_t          buf;
    const char         *mark = strstr(text, "%ID%");
    pay_http_request_t  request = question(world);
    pay_http_answer_t  answer = { .sent = PAY_ANSWERED, .status = 200 };

    pay_buf_init(&buf, world->arena, 8192);

    if (mark != NULL) {
        pay_buf_add(&buf, (pay_str_t) { (size_t) (mark - text),
                                        (const unsigned char *) text });
        pay_buf_add(&buf, field(&request, "webhook-id"));
        text = mark + 4;
    }

    pay_buf_text(&buf, text);
    cr_assert_eq(pay_buf_done(&buf, &answer.body), PAY_OK);

    return answered(world, &answer);
}


Test(pay_risk_provider, the_first_that_fits_is_asked)
{
    risk_world_t  world;

    open_world(&world);
    cr_expect_eq(pay_risk_provider_of(&world.risk, &world.facts), &provider);

    provider.merchant_id = PAY_STR("globex");
    cr_expect_null(pay_risk_provider_of(&world.risk, &world.facts));

    provider.merchant_id = PAY_STR("acme");
    provider.above = world.request.currency;
    provider.above_minor = 50000;
    cr_expect_null(pay_risk_provider_of(&world.risk, &world.facts));
    provider.above_minor = 49999;
    cr_expect_not_null(pay_risk_provider_of(&world.risk, &world.facts));

    /* nothing says how much another currency is worth */
    provider.above_minor = 50000;
    cr_assert_eq(pay_currency_find(PAY_STR("EUR"), &provider.above, NULL),
                 PAY_OK);
    cr_expect_not_null(pay_risk_provider_of(&world.risk, &world.facts));
    world.risk.provider_count = 0;
    cr_expect_null(pay_risk_provider_of(&world.risk, &world.facts));
    risk_world_close(&world);
}


Test(pay_risk_provider, personal_facts_leave_as_hashes_alone)
{
    risk_world_t        world;
    pay_json_t         *json;
    pay_str_t           hash, kept;
    pay_http_request_t  request;

    open_world(&world);
    request = question(&world);
    cr_expect(pay_str_is(request.url, "https://watch.example/v1/decisions"));
    cr_expect_not(has(request.body, "buyer-7"));
    cr_expect_not(has(request.body, "adal@gmail.com"));
    cr_expect_not(has(request.body, "gmail"));
    cr_expect_not(has(request.body, "192.0.2.17"));
    cr_expect_not(has(request.body, "1701234"));
    cr_expect(has(request.body, "\"amount\":\"500.00\""));
    cr_expect(has(request.body, "\"personal\":{}"));

    json = body_of(&world);
    cr_assert_eq(pay_json_string(pay_json_path(json, "hashes", "email", NULL),
                                 &hash), PAY_OK);
    cr_expect_eq(hash.len, 64);
    cr_assert_eq(pay_risk_list_value(world.arena, &world.risk, 0,
                                     PAY_STR("email"),
                                     PAY_STR("Ada.L+x@Gmail.com"), &kept),
                 PAY_OK);
    cr_expect_not(pay_str_eq(hash, kept), "the database has another one");
    pay_json_free(json);
    risk_world_close(&world);
}


Test(pay_risk_provider, an_attribute_that_is_named_leaves_as_it_is)
{
    risk_world_t          world;
    pay_json_t           *json;
    pay_str_t             text;
    pay_risk_attribute_t  attribute;

    open_world(&world);
    cr_assert_eq(pay_risk_private_find(PAY_STR("ip"), &attribute), PAY_OK);
    cr_expect_eq(pay_risk_private_find(PAY_STR("amount"), &attribute),
                 PAY_NOT_FOUND);
    provider.sends = 1u << PAY_RISK_ip;
    json = body_of(&world);
    cr_assert_eq(pay_json_string(pay_json_path(json, "personal", "ip", NULL),
                                 &text), PAY_OK);
    cr_expect(pay_str_is(text, "192.0.2.17"));
    cr_expect_null(pay_json_path(json, "hashes", "ip", NULL));
    cr_expect_not_null(pay_json_path(json, "hashes", "buyer", NULL));
    pay_json_free(json);
    risk_world_close(&world);
}


Test(pay_risk_provider, the_question_is_signed_and_its_id_is_the_checkout_s)
{
    pay_str_t               first, timestamp, signature;
    risk_world_t            world;
    pay_http_request_t      request;
    pay_endpoint_message_t  message;

    open_world(&world);
    request = question(&world);
    first = field(&request, "webhook-id");
    cr_expect(pay_str_eq(first, field(&request, "Idempotency-Key")));
    message = (pay_endpoint_message_t) { first, RISK_NOW, request.body };
    cr_assert_eq(pay_endpoint_sign(world.arena, PAY_ENDPOINT_V1,
                                   provider.keys, 1, &message, &timestamp,
                                   &signature), PAY_OK);
    cr_expect(pay_str_eq(signature, field(&request, "webhook-signature")));
    cr_expect(pay_str_eq(timestamp, field(&request, "webhook-timestamp")));

    world.facts.now_s++;
    request = question(&world);
    cr_expect(pay_str_eq(first, field(&request, "webhook-id")));
    world.request.checkout_id = PAY_STR("c-2");
    request = question(&world);
    cr_expect_not(pay_str_eq(first, field(&request, "webhook-id")));
    risk_world_close(&world);
}


Test(pay_risk_provider, its_word_is_read)
{
    size_t           i;
    risk_world_t     world;
    pay_risk_word_t  word;

    static const struct {
        const char         *text;
        pay_risk_action_t   then;
    } cases[] = {
        { "{\"id\":\"%ID%\",\"decision\":\"allow\"}", PAY_RISK_ALLOW },
        { "{\"id\":\"%ID%\",\"decision\":\"challenge\",\"score\":7}",
          PAY_RISK_CHALLENGE },
        { "{\"decision\":\"block\",\"id\":\"%ID%\",\"reference\":\"r-1\"}",
          PAY_RISK_BLOCK }
    };

    open_world(&world);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        word = said(&world, cases[i].text);
        cr_expect_null(word.failed, "%zu", i);
        cr_expect_eq(word.then, cases[i].then, "%zu", i);
    }

    cr_expect(pay_str_is(word.reference, "r-1"));
    word = said(&world, "{\"id\":\"%ID%\",\"decision\":\"block\","
                        "\"reference\":\"a \\\"b\\\"\"}");
    cr_expect_eq(word.then, PAY_RISK_BLOCK, "a reference voids no decision");
    cr_expect_eq(word.reference.len, 0);
    risk_world_close(&world);
}


Test(pay_risk_provider, an_answer_of_another_form_is_none)
{
    size_t             i;
    risk_world_t       world;
    pay_risk_word_t    word;

    static const char  *const texts[] = {
        "", "block", "[]", "null", "{", "{\"id\":\"%ID%\"}",
        "{\"decision\":\"block\"}",
        "{\"id\":\"c-1\",\"decision\":\"block\"}",
        "{\"id\":\"%ID%\",\"decision\":\"Block\"}",
        "{\"id\":\"%ID%\",\"decision\":\"blocked\"}",
        "{\"id\":\"%ID%\",\"decision\":3}",
        "{\"id\":\"%ID%\",\"decision\":null}",
        "{\"id\":\"%ID%\",\"decision\":\"block\"} ]",
        "{\"id\":\"%ID%\",\"decision\":\"allow\",\"decision\":\"block\"}",
        "{\"id\":\"%ID%\",\"decision\":\"block\xff\"}"
    };

    open_world(&world);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        word = said(&world, texts[i]);
        cr_assert_not_null(word.failed, "%s", texts[i]);
        cr_expect_str_eq(word.failed, "answer", "%s", texts[i]);
        cr_expect_eq(word.then, PAY_RISK_REVIEW, "%s", texts[i]);
    }

    risk_world_close(&world);
}


Test(pay_risk_provider, a_large_answer_is_none)
{
    static char     text[PAY_RISK_PROVIDER_BODY_MAX + 64];
    size_t          used;
    risk_world_t    world;

    open_world(&world);
    used = sizeof(BLOCKS) - 1;
    memcpy(text, BLOCKS, used);
    memset(text + used, ' ', sizeof(text) - 1 - used);
    cr_expect_str_eq(said(&world, text).failed, "answer");
    text[1024] = '\0';
    cr_expect_null(said(&world, text).failed);
    risk_world_close(&world);
}


Test(pay_risk_provider, without_an_answer_the_word_of_fail_counts)
{
    unsigned           i;
    risk_world_t       world;
    pay_risk_word_t    word;
    pay_http_answer_t  answer;

    static const unsigned  statuses[] = {
        100, 201, 204, 302, 307, 400, 401, 404, 429, 500, 503
    };

    open_world(&world);
    provider.fail = PAY_RISK_BLOCK;

    for (i = PAY_FAILURE_NONE; i < PAY_FAILURE_COUNT; i++) {
        answer = (pay_http_answer_t) { .failure = (pay_failure_t) i };
        word = answered(&world, &answer);
        cr_expect_eq(word.then, PAY_RISK_BLOCK);
        cr_expect_str_eq(word.failed,
                         i == PAY_FAILURE_NONE
                         ? "broken" : pay_failure_name((pay_failure_t) i));
    }

    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        answer = (pay_http_answer_t) {
            .sent = PAY_ANSWERED, .status = statuses[i],
            .body = PAY_STR("{\"decision\":\"allow\"}")
        };
        word = answered(&world, &answer);
        cr_expect_eq(word.then, PAY_RISK_BLOCK);
        cr_expect_str_eq(word.failed, "status");
    }

    risk_world_close(&world);
}


/* Its word does not change the gateway's own decision in the document, which
 * SQL needs to know who has decided. */
Test(pay_risk_provider, the_document_has_its_word)
{
    const char       *text;
    risk_world_t      world;
    pay_risk_word_t   word;

    open_world(&world);
    cr_expect_null(strstr(risk_world_findings(&world), "provider"));

    word = said(&world, "{\"id\":\"%ID%\",\"decision\":\"block\","
                        "\"reference\":\"r-1\"}");
    world.facts.word = &word;
    text = risk_world_findings(&world);
    cr_expect_not_null(strstr(text, "{\"decision\":\"allow\""), "%s", text);
    cr_expect_not_null(strstr(text, "\"provider\":{\"name\":\"watch\","
                                    "\"then\":\"block\",\"shadow\":false,"
                                    "\"reference\":\"r-1\"}"), "%s", text);

    provider.is_shadow = 1;
    word.failed = "timeout";
    word.reference = PAY_STR("");
    text = risk_world_findings(&world);
    cr_expect_not_null(strstr(text, "\"shadow\":true,\"failed\":\"timeout\"}"),
                       "%s", text);
    risk_world_close(&world);
}


Test(pay_risk_provider, a_rule_that_blocks_or_allows_has_decided)
{
    size_t         i;
    int            is_decided;
    risk_world_t   world;

    static const struct {
        pay_risk_action_t  then;
        int                is_shadow;
        int                is_decided;
    } cases[] = {
        { PAY_RISK_ALLOW, 0, 1 }, { PAY_RISK_BLOCK, 0, 1 },
        { PAY_RISK_REVIEW, 0, 0 }, { PAY_RISK_CHALLENGE, 0, 0 },
        { PAY_RISK_ALLOW, 1, 0 }, { PAY_RISK_BLOCK, 1, 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_world(&world);
        risk_world_rule(&world, "if hour>=0", cases[i].then)->is_shadow =
            cases[i].is_shadow;
        cr_assert_eq(pay_risk_is_decided(world.arena, &world.risk,
                                         &world.facts, &world.counts,
                                         &is_decided), PAY_OK);
        cr_expect_eq(is_decided, cases[i].is_decided, "%zu", i);
        risk_world_close(&world);
    }
}
