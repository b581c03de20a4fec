/*
 * The signed proof of an order: no byte of a file may be another one.  Chains,
 * paths and seals are tested with real ones in
 * tests/integration/test_payctl_proof.py.
 */

#include <criterion/criterion.h>

#include "pay_proof.h"


#define NO_EVENT  "it has no event"

static pay_heap_t       *heap;
static pay_arena_t      *arena;
static pay_audit_key_t   key;
static pay_str_t         text;


/* Signed, and therefore read; it says nothing. */
static void
setup(void)
{
    unsigned char  private[PAY_ED25519_KEY];
    pay_secret_t   secret;

    heap = pay_heap_create();
    arena = pay_heap_arena(heap);
    memset(private, 7, sizeof(private));
    memset(&key, 0, sizeof(key));
    cr_assert_eq(pay_secret_set(&secret, (pay_str_t) { sizeof(private),
                                                       private }), PAY_OK);
    cr_assert_eq(pay_ed25519_public(&secret, key.key), PAY_OK);
    cr_assert_eq(pay_ed25519_key_id(key.key, key.id), PAY_OK);
    cr_assert_eq(pay_proof_sign(arena, PAY_STR(
        "{\"merchant_id\":\"m\",\"payment_order_id\":\"o\","
        "\"made_at\":\"t\",\"log\":[],\"seals\":[]}"), &secret, &text),
        PAY_OK);
    pay_secret_wipe(&secret);
}


static void
teardown(void)
{
    pay_heap_destroy(heap);
}


TestSuite(pay_proof, .init = setup, .fini = teardown);


static const char *
checked(pay_str_t bytes, size_t keys)
{
    pay_err_t    err = { .detail = NULL };
    pay_proof_t  proof;

    cr_assert_eq(pay_proof_check(arena, bytes, &key, keys, &proof, &err),
                 PAY_INVALID);

    return err.detail;
}


Test(pay_proof, reads_a_document_that_is_signed)
{
    cr_assert_str_eq(checked(text, 1), NO_EVENT);
}


/* A document that was read would lack an event. */
Test(pay_proof, finds_each_altered_byte)
{
    size_t          i;
    unsigned        bit;
    unsigned char  *bytes = (unsigned char *) text.data;

    for (i = 0; i < text.len; i++) {
        for (bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char) (1u << bit);
            cr_assert_str_neq(checked(text, 1), NO_EVENT, "%zu %u", i, bit);
            bytes[i] ^= (unsigned char) (1u << bit);
        }
    }

    cr_assert_str_eq(checked(text, 1), NO_EVENT);
}


Test(pay_proof, finds_each_missing_end_and_each_addition)
{
    size_t      i;
    pay_buf_t   buf;
    pay_str_t   longer;

    for (i = 0; i < text.len; i++) {
        cr_assert_str_neq(checked((pay_str_t) { i, text.data }, 1), NO_EVENT);
    }

    pay_buf_init(&buf, arena, text.len + 1);
    pay_buf_add(&buf, text);
    pay_buf_text(&buf, " ");
    cr_assert_eq(pay_buf_done(&buf, &longer), PAY_OK);
    cr_assert_str_neq(checked(longer, 1), NO_EVENT);
}


Test(pay_proof, believes_no_key_but_those_that_are_given)
{
    cr_assert_str_neq(checked(text, 0), NO_EVENT);
    key.key[0] ^= 1;
    cr_assert_str_neq(checked(text, 1), NO_EVENT);
}
