/*
 * The event log as bytes: hashes of events against ones computed elsewhere,
 * Merkle trees of 1 to 9 leaves, messages of seals in their one spelling.
 */

#define _GNU_SOURCE                    /* memmem() */

#include "torture.h"
#include "pay_audit.h"


static void
assert_hex(const unsigned char *bytes, const char *expected)
{
    unsigned char  wanted[PAY_SHA256_SIZE];

    cr_assert_eq(pay_hex_decode(pay_str_of(expected), wanted, sizeof(wanted)),
                 PAY_OK);
    cr_expect_arr_eq(bytes, wanted, sizeof(wanted));
}


static pay_audit_row_t
event_row(void)
{
    return (pay_audit_row_t) {
        .kind = PAY_AUDIT_EVENT, .merchant_id = PAY_STR("acme"),
        .payment_order_id = PAY_STR("order-1"), .seq = 1,
        .event = {
            .at = PAY_STR("2026-11-21T08:15:00.000123Z"), .tx = 4711,
            .kind = PAY_STR("created"), .actor = PAY_STR("merchant"),
            .new_status = PAY_STR("NOT_STARTED"), .detail = PAY_STR("{}"),
            .request_id = PAY_STR("r\xc3\xa9q")
        }
    };
}


Test(pay_audit, an_event_is_netstrings_and_dashes_for_null)
{
    pay_str_t        bytes;
    pay_audit_row_t  row = event_row();

    cr_assert_eq(pay_audit_event_bytes(test_arena(), &row, NULL,
                                       &bytes), PAY_OK);
    cr_expect(pay_str_is(bytes,
              "0:,4:acme,7:order-1,1:1,27:2026-11-21T08:15:00.000123Z,4:4711,"
              "7:created,8:merchant,-,11:NOT_STARTED,-,2:{},4:r\xc3\xa9q,"),
              "%.*s", pay_fmt(bytes));
}


Test(pay_audit, an_event_goes_on_from_the_hash_before_it)
{
    size_t           i;
    pay_str_t        bytes;
    unsigned char    previous[PAY_SHA256_SIZE];
    pay_audit_row_t  row = event_row();

    static const char  begin[] =
        "64:a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5,"
        "4:acme,";

    memset(previous, 0xa5, sizeof(previous));
    row.seq = 12;
    row.event.tx = UINT64_MAX;
    cr_assert_eq(pay_audit_event_bytes(test_arena(), &row, previous,
                                       &bytes), PAY_OK);

    for (i = 0; i < sizeof(begin) - 1; i++) {
        cr_assert_eq(bytes.data[i], begin[i], "%.*s", pay_fmt(bytes));
    }

    cr_expect_not_null(memmem(bytes.data, bytes.len, ",2:12,", 6));
    cr_expect_not_null(memmem(bytes.data, bytes.len,
                              ",20:18446744073709551615,", 25));
}


/* computed with Python's hashlib */
Test(pay_audit, an_event_has_the_hash_that_others_compute)
{
    unsigned char    hash[PAY_SHA256_SIZE], previous[PAY_SHA256_SIZE];
    pay_audit_row_t  row = event_row();

    cr_assert_eq(pay_audit_event_hash(&row, NULL, hash), PAY_OK);
    assert_hex(hash, "05af986af7abb8fc8d0bd76924550bd3"
                     "eaf4e15cfc7fe667a247e928c4ccb143");

    memset(previous, 0xa5, sizeof(previous));
    cr_assert_eq(pay_audit_event_hash(&row, previous, hash), PAY_OK);
    assert_hex(hash, "09ddf6efac24edf654cca94f8278bbd7"
                     "47244650b70a9173dca067a1fc6960bc");
}


/* Members cannot be shifted into each other. */
Test(pay_audit, null_and_empty_and_the_neighbour_are_three_events)
{
    unsigned char    one[PAY_SHA256_SIZE], other[PAY_SHA256_SIZE];
    pay_audit_row_t  row = event_row();

    cr_assert_eq(pay_audit_event_hash(&row, NULL, one), PAY_OK);
    row.event.reason = PAY_STR("");
    cr_assert_eq(pay_audit_event_hash(&row, NULL, other), PAY_OK);
    cr_expect_arr_neq(one, other, sizeof(one));

    row.event.reason = (pay_str_t) { 0, NULL };
    row.event.old_status = row.event.new_status;
    row.event.new_status = (pay_str_t) { 0, NULL };
    cr_assert_eq(pay_audit_event_hash(&row, NULL, other), PAY_OK);
    cr_expect_arr_neq(one, other, sizeof(one));
}


static pay_status_t
event_bytes(pay_arena_t *arena, void *result)
{
    pay_audit_row_t  row = event_row();

    return pay_audit_event_bytes(arena, &row, NULL, result);
}


Test(pay_audit, survives_a_failing_arena)
{
    cr_expect_geq(torture(event_bytes, sizeof(pay_str_t)), 1);
}


/* The roots were computed by another program, which splits each tree as RFC
 * 9162 2.1.1 says it; n bytes of the n-th letter are the n-th leaf. */
Test(pay_merkle, trees_of_nought_to_nine_leaves_have_the_roots_of_rfc_9162)
{
    unsigned        n, i;
    pay_merkle_t    tree;
    unsigned char   leaf[9], root[PAY_SHA256_SIZE];

    static const char *const  roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "688dc6244b041199e7ab4990df6340ce3dc14caa5cd5a0e1131addaa1209e1a6",
        "5cc47ef293064855d105cf40b11b1f5ddecde062dd789a3ba29236c7fb5b3b40",
        "0c51304d349ee87fd13f0e879421060fa13cf387282487c089bc197738fdeb0c",
        "a24e1435329194da981a6ea80d44274fbb6e87a64f77920020fcd3d5808d4354",
        "69853391bde2128b3ee9f4665da160f9b9de9ab114c8055818f0c3c3006c635b",
        "80bea6847da15bd2a145bbce5c01fb61672c4ad0f91da2e282075758d2610de2",
        "a2ec02134062498add48719ef09129ec8a79c25c463ee1b2743f7f7d5f4b5674",
        "bbbc9180fe77ea20dcebae5e54e9cad6deea09e06b81bf1bc545ac3acf304afd"
    };

    for (n = 0; n <= 9; n++) {
        pay_merkle_init(&tree);

        for (i = 0; i < n; i++) {
            memset(leaf, (int) ('a' + i - 1), sizeof(leaf));
            cr_assert_eq(pay_merkle_add(&tree, (pay_str_t) { i, leaf }),
                         PAY_OK);
        }

        cr_assert_eq(pay_merkle_root(&tree, root), PAY_OK);
        assert_hex(root, roots[n]);
    }
}


/* The leaves and the roots that certificate transparency's logs are tried
 * with. */
Test(pay_merkle, has_the_roots_of_certificate_transparency)
{
    unsigned        i;
    pay_merkle_t    tree;
    unsigned char   root[PAY_SHA256_SIZE];

    static const pay_str_t  leaves[] = {
        pay_string(""), pay_string("\0"), pay_string("\x10"),
        pay_string("\x20\x21"), pay_string("\x30\x31"),
        pay_string("\x40\x41\x42\x43"),
        pay_string("\x50\x51\x52\x53\x54\x55\x56\x57"),
        pay_string("\x60\x61\x62\x63\x64\x65\x66\x67"
                   "\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f")
    };
    static const char *const  roots[] = {
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    };

    pay_merkle_init(&tree);

    for (i = 0; i < 8; i++) {
        cr_assert_eq(pay_merkle_add(&tree, leaves[i]), PAY_OK);
        cr_assert_eq(pay_merkle_root(&tree, root), PAY_OK);
        assert_hex(root, roots[i]);
    }
}


Test(pay_merkle, a_leaf_that_looks_like_a_node_is_none)
{
    pay_merkle_t    tree;
    unsigned char   one[PAY_SHA256_SIZE], other[PAY_SHA256_SIZE];
    unsigned char   forged[2 * PAY_SHA256_SIZE];

    pay_merkle_init(&tree);
    cr_assert_eq(pay_merkle_add(&tree, PAY_STR("a")), PAY_OK);
    memcpy(forged, tree.nodes[0], PAY_SHA256_SIZE);
    cr_assert_eq(pay_merkle_add(&tree, PAY_STR("a")), PAY_OK);
    memcpy(forged + PAY_SHA256_SIZE, forged, PAY_SHA256_SIZE);
    cr_assert_eq(pay_merkle_root(&tree, one), PAY_OK);

    pay_merkle_init(&tree);
    cr_assert_eq(pay_merkle_add(&tree, (pay_str_t) { sizeof(forged), forged }),
                 PAY_OK);
    cr_assert_eq(pay_merkle_root(&tree, other), PAY_OK);
    cr_expect_arr_neq(one, other, sizeof(one));
}


Test(pay_merkle, too_long_a_leaf_and_too_many_are_our_mistake)
{
    pay_merkle_t          tree;
    static unsigned char  leaf[PAY_MERKLE_LEAF_MAX + 1];

    pay_merkle_init(&tree);
    cr_expect_eq(pay_merkle_add(&tree, (pay_str_t) { sizeof(leaf), leaf }),
                 PAY_BUG);
    cr_expect_eq(tree.count, 0);
    cr_expect_eq(pay_merkle_add(&tree, (pay_str_t) { sizeof(leaf) - 1, leaf }),
                 PAY_OK);

    tree.count = UINT64_C(1) << 63;
    cr_expect_eq(pay_merkle_add(&tree, PAY_STR("x")), PAY_BUG);
}


Test(pay_audit, a_leaf_is_merchant_order_seq_and_hash)
{
    pay_str_t        bytes;
    pay_audit_row_t  row = event_row();

    memset(row.hash, 0x0f, sizeof(row.hash));
    row.seq = 7;
    cr_assert_eq(pay_audit_leaf_bytes(test_arena(), &row, &bytes),
                 PAY_OK);
    cr_expect(pay_str_is(bytes, "acme\norder-1\n7\n0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
                                "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"));
}


#define ROOT  "5cc47ef293064855d105cf40b11b1f5ddecde062dd789a3ba29236c7fb5b3b40"
#define NONE  "0000000000000000000000000000000000000000000000000000000000000000"
#define MESSAGE(number, at, from, until, leaves, root, previous)              \
    "ngx_payments seal 1\nnumber " number "\nat " at "\nfrom " from           \
    "\nuntil " until "\nleaves " leaves "\nroot " root "\nprevious " previous \
    "\n"
#define AT    "2026-11-21T08:15:00.000123Z"


Test(pay_audit, reads_a_message)
{
    pay_audit_message_t  message;

    cr_assert_eq(pay_audit_message_read(
                     PAY_STR(MESSAGE("12", AT, "0", "18446744073709551615",
                                     "3", ROOT, NONE)), &message), PAY_OK);
    cr_expect_eq(message.number, 12);
    cr_expect(pay_str_is(message.at, AT));
    cr_expect_eq(message.from_tx, 0);
    cr_expect_eq(message.until_tx, UINT64_MAX);
    cr_expect_eq(message.leaves, 3);
    assert_hex(message.root, ROOT);
    assert_hex(message.previous, NONE);
}


Test(pay_audit, reads_a_message_in_its_one_spelling_only)
{
    size_t               i;
    pay_audit_message_t  message;

    static const char *const  texts[] = {
        "",
        "ngx_payments seal 1\n",
        "ngx_payments seal 2\nnumber 1\nat " AT "\nfrom 0\nuntil 1\nleaves 1\n"
        "root " ROOT "\nprevious " NONE "\n",
        MESSAGE("0", AT, "0", "9", "3", ROOT, NONE),
        MESSAGE("01", AT, "0", "9", "3", ROOT, NONE),
        MESSAGE("-1", AT, "0", "9", "3", ROOT, NONE),
        MESSAGE("", AT, "0", "9", "3", ROOT, NONE),
        MESSAGE("9223372036854775808", AT, "0", "9", "3", ROOT, NONE),
        MESSAGE("1", "yesterday", "0", "9", "3", ROOT, NONE),
        MESSAGE("1", "2026-02-30T08:15:00.000123Z", "0", "9", "3", ROOT, NONE),
        MESSAGE("1", "2026-11-21T08:15:00Z", "0", "9", "3", ROOT, NONE),
        MESSAGE("1", AT, "10", "9", "3", ROOT, NONE),
        MESSAGE("1", AT, "0", "18446744073709551616", "3", ROOT, NONE),
        MESSAGE("1", AT, "0", "9", "3 ", ROOT, NONE),
        MESSAGE("1", AT, "0", "9", "3", "", NONE),
        MESSAGE("1", AT, "0", "9", "3", ROOT, "00"),
        MESSAGE("1", AT, "0", "9", "3", ROOT "00", NONE),
        "x" MESSAGE("1", AT, "0", "9", "3", ROOT, NONE),
        MESSAGE("1", AT, "0", "9", "3", ROOT, NONE) "\n",
        MESSAGE("1", AT, "0", "9", "3", ROOT, NONE) "number 2\n"
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        message.number = 77;
        cr_expect_eq(pay_audit_message_read(pay_str_of(texts[i]), &message),
                     PAY_INVALID, "%s", texts[i]);
        cr_expect_eq(message.number, 77);
    }
}


Test(pay_audit, each_byte_of_a_message_matters_for_its_reading)
{
    size_t               i;
    pay_audit_message_t  message;
    unsigned char        text[] = MESSAGE("12", AT, "1", "9", "3", ROOT, NONE);
    size_t               len = sizeof(text) - 1;

    for (i = 0; i < len; i++) {
        cr_expect_eq(pay_audit_message_read((pay_str_t) { i, text }, &message),
                     PAY_INVALID, "cut at %zu", i);
        text[i] ^= 0x80;
        cr_expect_eq(pay_audit_message_read((pay_str_t) { len, text },
                                            &message),
                     PAY_INVALID, "byte %zu", i);
        text[i] ^= 0x80;
    }
}


Test(pay_audit, a_seal_is_a_line_that_can_be_read_again)
{
    pay_err_t         err;
    pay_str_t         line;
    pay_audit_row_t   row;
    pay_audit_seal_t  seal = { PAY_STR("two\nlines\n"),
                               PAY_STR("0123456789abcdef"), 1, { 1, 2, 3 } };

    cr_assert_eq(pay_audit_seal_line(test_arena(), 5, &seal, &line),
                 PAY_OK);
    cr_expect_null(memchr(line.data, '\n', line.len));
    cr_assert_eq(pay_audit_parse(line, &row, &err), PAY_OK);
    cr_expect_eq(row.kind, PAY_AUDIT_SEAL);
    cr_expect_eq(row.number, 5);
    cr_expect(pay_str_is(row.seal.message, "two\nlines\n"));
    cr_expect(pay_str_is(row.seal.key_id, "0123456789abcdef"));
    cr_expect(row.seal.is_signed);
    cr_expect_arr_eq(row.seal.signature, seal.signature,
                     PAY_ED25519_SIGNATURE);
    pay_audit_row_free(&row);
}
