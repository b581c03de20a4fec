/*
 * Accounts of sellers by the API: the bodies that are taken and refused, the
 * part of a number that is shown, and the seal, which the place of the row and
 * the key alone open.
 */

#include "flow_driver.h"
#include "torture.h"

#include "pay_keyring.h"
#include "pay_payout_api.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

#define RING    "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
#define OTHER   "k2 AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n"
#define KEY     "8e03978e-40d5-43dd-bc93-6894a57f9324"
#define SALT   "0123456789ab"
#define IBAN    "DE89370400440532013000"
#define BEGIN   "{\"currency\":\"EUR\",\"provider\":\"bank\","
#define ACCOUNT    BEGIN "\"iban\":\"de89 3704 0044 0532 0130 00\"," \
                "\"name\":\"Jörg Müller & Söhne\"}"
#define PLACE   "payments payout account 1\nacme\nshop/7\nEUR"


static pay_keyring_t  ring;


/* Bodies that are taken with what is shown of them, and those refused. */
static const struct {
    const char  *rest;
    const char  *shown;            /* NULL: it is refused */
    const char  *pointer;
} bodies[] = {
    { "\"iban\":\"" IBAN "\",\"name\":\"A\"}", "DE…3000", "" },
    { "\"iban\":\"NO9386011117947\",\"name\":\"A\",\"country\":\"NO\","
      "\"bic\":\"DNBANOKK\",\"why\":\"moved\"}", "NO…7947", "" },
    { "\"payee\":\"acct_1J2k3L4m5N\",\"country\":\"IE\"}", "…4m5N", "" },
    { "\"payee\":\"p-7\",\"country\":\"IE\",\"name\":\"A\"}", "…", "" },
    { "\"email\":\"jane@shop.example\",\"country\":\"US\"}", "…mple", "" },
    { "\"name\":\"A\"}", NULL, "/iban" },
    { "\"iban\":\"" IBAN "\",\"payee\":\"p-7\",\"name\":\"A\"}", NULL,
      "/iban" },
    { "\"iban\":7,\"name\":\"A\"}", NULL, "/iban" },
    { "\"iban\":\"\",\"name\":\"A\"}", NULL, "/iban" },
    { "\"iban\":\"DE89370400440532013001\",\"name\":\"A\"}", NULL, "/iban" },
    { "\"iban\":\"DE8937040044053201300\",\"name\":\"A\"}", NULL, "/iban" },
    { "\"iban\":\"US89370400440532013000\",\"name\":\"A\"}", NULL, "/iban" },
    { "\"iban\":\"" IBAN "\"}", NULL, "/name" },
    { "\"iban\":\"" IBAN "\",\"name\":\"\"}", NULL, "/name" },
    { "\"iban\":\"" IBAN "\",\"name\":\"漢字\"}", NULL, "/name" },
    { "\"iban\":\"" IBAN "\",\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaü\"}", NULL, "/name" },
    { "\"iban\":\"" IBAN "\",\"name\":\"A\",\"country\":\"FR\"}", NULL,
      "/country" },
    { "\"iban\":\"" IBAN "\",\"name\":\"A\",\"bic\":\"DEUT\"}", NULL, "/bic" },
    { "\"payee\":\"p-7\"}", NULL, "/country" },
    { "\"payee\":\"p-7\",\"country\":\"ie\"}", NULL, "/country" },
    { "\"payee\":\"p 7\",\"country\":\"IE\"}", NULL, "/payee" },
    { "\"payee\":\"a\\\"b\",\"country\":\"IE\"}", NULL, "/payee" },
    { "\"payee\":\"p-7\",\"country\":\"IE\",\"bic\":\"DNBANOKK\"}", NULL,
      "/bic" },
    { "\"email\":\"jane\",\"country\":\"US\"}", NULL, "/email" },
    { "\"email\":\"a@b@c\",\"country\":\"US\"}", NULL, "/email" },
    { "\"email\":\"@b\",\"country\":\"US\"}", NULL, "/email" },
    { "\"iban\":\"" IBAN "\",\"name\":\"A\",\"why\":\"\"}", NULL, "/why" },
    { "\"iban\":\"" IBAN "\",\"name\":\"A\",\"bban\":\"1\"}", NULL, "/bban" }
};


Test(pay_destination, a_body_is_one_account)
{
    char              body[512];
    size_t            i;
    pay_err_t         err;
    pay_heap_t       *heap = pay_heap_create();
    pay_status_t      status;
    pay_payout_act_t  act;

    for (i = 0; i < COUNT(bodies); i++) {
        memset(&err, 0, sizeof(err));
        snprintf(body, sizeof(body), BEGIN "%s", bodies[i].rest);
        status = pay_payout_act_parse(pay_heap_arena(heap),
                                      PAY_PAYOUT_ACT_ENTER, pay_str_of(body),
                                      &act, &err);

        if (bodies[i].shown != NULL) {
            cr_assert_eq(status, PAY_OK, "%s: %s", body, err.detail);
            cr_expect(pay_str_is(act.shown, bodies[i].shown), "%s", body);

        } else {
            cr_assert_eq(status, PAY_INVALID, "%s", body);
            cr_expect_str_eq(err.slug, "validation-error", "%s", body);
            cr_expect_str_eq(err.pointer, bodies[i].pointer, "%s", body);
        }
    }

    pay_heap_destroy(heap);
}


/* A fifth of these have 13 to 19 digits in a row that pass the check digit of
 * cards: no number of an account is taken for that of a card. */
Test(pay_destination, no_iban_is_taken_for_a_card)
{
    char              iban[32], body[256];
    unsigned          n, check;
    pay_err_t         err;
    pay_heap_t       *heap = pay_heap_create();
    pay_payout_act_t  act;

    for (n = 0; n < 1000; n++) {
        for (check = 2; check <= 98; check++) {
            snprintf(iban, sizeof(iban), "BE%02u4%011u", check, n * 104729);

            if (pay_iban_is_valid(pay_str_of(iban))) {
                break;
            }
        }

        cr_assert_leq(check, 98);
        snprintf(body, sizeof(body), BEGIN "\"iban\":\"%s\",\"name\":\"A\"}",
                 iban);
        cr_assert_eq(pay_payout_act_parse(pay_heap_arena(heap),
                                          PAY_PAYOUT_ACT_ENTER,
                                          pay_str_of(body), &act, &err),
                     PAY_OK, "%s", body);

        snprintf(body, sizeof(body), BEGIN "\"iban\":\"%.4s %.4s %.4s %.4s\","
                 "\"name\":\"A\"}", iban, iban + 4, iban + 8, iban + 12);
        cr_assert_eq(pay_payout_act_parse(pay_heap_arena(heap),
                                          PAY_PAYOUT_ACT_ENTER,
                                          pay_str_of(body), &act, &err),
                     PAY_OK, "%s", body);
    }

    pay_heap_destroy(heap);
}


static void
enter(world_t *world, const char *seller, const char *keys)
{
    pay_payout_act_input_t  in = {
        .kind = PAY_PAYOUT_ACT_ENTER, .merchant_id = PAY_STR("acme"),
        .id = pay_str_of(seller), .subject = PAY_STR("max"),
        .body = PAY_STR(ACCOUNT), .idempotency_key = PAY_STR(KEY), .ttl_s = 60,
        .nonce = PAY_STR(SALT), .base_url = PAY_STR("https://pay.example")
    };

    world->env.keyring = NULL;

    if (keys != NULL) {
        cr_assert_eq(pay_keyring_read(pay_str_of(keys), &ring, NULL), PAY_OK);
        world->env.keyring = &ring;
    }

    world_made(world, pay_flow_payout_act(&world->flow, &in));
    world_start(world);
}


/* The bytes that are stored open with the key, in the row of this seller and
 * currency alone. */
Test(pay_destination, an_account_is_sealed_for_its_row)
{
    world_t            world;
    pay_str_t          sealed;
    unsigned char      clear[256];
    const pay_reply_t *reply;
    static const char  wanted[] = "{\"iban\":\"" IBAN "\",\"name\":"
                                  "\"Joerg Mueller + Soehne\"}";

    world_open(&world);
    enter(&world, "shop/7", RING);
    expect_db(&world, PAY_OP_ENTER_DESTINATION);
    expect_arg(&world, enter_destination, seller_account, "shop/7");
    expect_arg(&world, enter_destination, kind, "iban");
    expect_arg(&world, enter_destination, country, "DE");
    expect_arg(&world, enter_destination, shown, "DE…3000");
    expect_arg(&world, enter_destination, key_id, "k1");
    expect_arg(&world, enter_destination, why, "entered");
    expect_arg(&world, enter_destination, name, "Joerg Mueller + Soehne");

    sealed = asked(&world, enter_destination)->details;
    cr_assert_eq(sealed.len, PAY_KEYRING_NONCE + sizeof(wanted) - 1
                             + PAY_KEYRING_TAG);
    cr_expect_eq(memcmp(sealed.data, SALT, PAY_KEYRING_NONCE), 0);
    sealed.data += PAY_KEYRING_NONCE;
    sealed.len -= PAY_KEYRING_NONCE;
    cr_assert_eq(pay_keyring_open(&ring, PAY_STR("k1"),
                                  (const unsigned char *) SALT,
                                  PAY_STR(PLACE), sealed, clear), PAY_OK);
    cr_expect_eq(memcmp(clear, wanted, sizeof(wanted) - 1), 0);
    cr_expect_eq(pay_keyring_open(&ring, PAY_STR("k1"),
                                  (const unsigned char *) SALT,
                                  PAY_STR("payments payout account 1\nacme\n"
                                          "shop/8\nEUR"), sealed, clear),
                 PAY_INVALID);

    world_result(&world, PAY_OUTCOME_CREATED, &(pay_payout_act_row_t) {
                     PAY_STR("d-7"), PAY_STR("{}") });
    reply = expect_reply(&world, PAY_REPLY_JSON, 201);
    cr_expect(pay_str_is(reply->location,
                         "https://pay.example/v1/payout-destinations/d-7"));
    world_close(&world);
}


/* Without the key nobody can try numbers until one has the digest. */
Test(pay_destination, a_fingerprint_depends_on_the_key)
{
    world_t        world;
    unsigned char  digests[2][32];

    world_open(&world);
    enter(&world, "shop/7", RING);
    memcpy(digests[0], asked(&world, enter_destination)->fingerprint.data, 32);
    world_result(&world, PAY_OUTCOME_KEY_REUSED, NULL);
    (void) expect_problem(&world, "idempotency-key-reused", 422);
    world_close(&world);

    world_open(&world);
    enter(&world, "shop/7", OTHER);
    memcpy(digests[1], asked(&world, enter_destination)->fingerprint.data, 32);
    world_result(&world, PAY_OUTCOME_REFUSED, &(pay_payout_act_row_t) {
                     PAY_STR("unfit"), PAY_STR("{}") });
    (void) expect_problem(&world, "payout-state-conflict", 409);
    world_close(&world);

    cr_expect_neq(memcmp(digests[0], digests[1], 32), 0);
}


Test(pay_destination, nothing_is_kept_without_a_key_or_for_no_seller)
{
    world_t             world;
    const pay_reply_t  *reply;

    world_open(&world);
    enter(&world, "shop/7", NULL);
    reply = expect_problem(&world, "payout-state-conflict", 409);
    cr_expect_eq(strncmp(reply->detail, "no_keyring", 10), 0);
    world_close(&world);

    world_open(&world);
    enter(&world, "shop 7", RING);
    (void) expect_problem(&world, "not-found", 404);
    world_close(&world);
}


static void
play_enter(world_t *world)
{
    enter(world, "shop/7", RING);
    world_result(world, PAY_OUTCOME_CREATED, &(pay_payout_act_row_t) {
                     PAY_STR("d-7"), PAY_STR("{}") });
}


Test(pay_destination, failing_memory_ends_a_request_as_a_500)
{
    cr_expect_geq(world_torture(play_enter), 4);
}
