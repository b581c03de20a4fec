/*
 * Text encodings: RFC 4648 vectors, and every spelling that is not the one.
 */

#include "torture.h"
#include "pay_crypto.h"


static pay_heap_t   *heap;
static pay_arena_t  *arena;
static pay_str_t     out;


static void
setup(void)
{
    heap = pay_heap_create();
    arena = pay_heap_arena(heap);
    out = (pay_str_t) { 77, NULL };
}


static void
teardown(void)
{
    pay_heap_destroy(heap);
}


TestSuite(pay_base64, .init = setup, .fini = teardown);


static const char *const  vectors[][3] = {      /* RFC 4648 section 10 */
    { "", "", "" },
    { "f", "Zg==", "Zg" },
    { "fo", "Zm8=", "Zm8" },
    { "foo", "Zm9v", "Zm9v" },
    { "foob", "Zm9vYg==", "Zm9vYg" },
    { "fooba", "Zm9vYmE=", "Zm9vYmE" },
    { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
    { "\xff\xfe\xfd", "//79", "__79" },
    { "\xfb\xef\xbe", "++++", "----" }
};

#define VECTORS  (sizeof(vectors) / sizeof(vectors[0]))


Test(pay_base64, encodes_and_decodes_the_vectors)
{
    size_t  i;

    for (i = 0; i < VECTORS; i++) {
        cr_assert_eq(pay_base64_encode(arena, pay_str_of(vectors[i][0]), &out),
                     PAY_OK);
        cr_assert(pay_str_is(out, vectors[i][1]), "%s", vectors[i][1]);
        cr_assert_eq(pay_base64_decode(arena, out, &out), PAY_OK);
        cr_assert(pay_str_is(out, vectors[i][0]), "%s", vectors[i][1]);

        cr_assert_eq(pay_base64url_encode(arena, pay_str_of(vectors[i][0]),
                                          &out), PAY_OK);
        cr_assert(pay_str_is(out, vectors[i][2]), "%s", vectors[i][2]);
        cr_assert_eq(pay_base64url_decode(arena, out, &out), PAY_OK);
        cr_assert(pay_str_is(out, vectors[i][0]), "%s", vectors[i][2]);
    }
}


Test(pay_base64, round_trips_every_length_and_byte)
{
    size_t         len;
    pay_str_t      back;
    unsigned char  bytes[256];

    for (len = 0; len < sizeof(bytes); len++) {
        bytes[len] = (unsigned char) (len * 167 + 13);

        cr_assert_eq(pay_base64_encode(arena, (pay_str_t) { len, bytes },
                                       &out), PAY_OK);
        cr_assert_eq(pay_base64_decode(arena, out, &back), PAY_OK);
        cr_assert(pay_str_eq(back, (pay_str_t) { len, bytes }), "%zu", len);

        cr_assert_eq(pay_base64url_encode(arena, (pay_str_t) { len, bytes },
                                          &out), PAY_OK);
        cr_assert_eq(pay_base64url_decode(arena, out, &back), PAY_OK);
        cr_assert(pay_str_eq(back, (pay_str_t) { len, bytes }), "%zu", len);
    }
}


Test(pay_base64, refuses_other_spellings)
{
    size_t  i;

    static const char *const  bad[] = {
        "A", "Z", "A===", "Zg", "Zg=", "Zg===", "Zg====", "=", "==", "===",
        "====",
        "Zm8", "Zm9vYg", "Zm9v=", "Zm9v==", "Zm9v====", "Z===", "Zm=v",
        "Z=9v", "=m9v", "Zg==Zg==", "Zh==", "Zm9=", "Zm8=\n", "Zm8= ",
        " Zm8=", "Zm 8", "Zm9v\n\n\n\n", "Zm9\n", "__79", "----", "Zm9%",
        "Zm9v\xc3\xa9zz", "Zm9,"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(pay_base64_decode(arena, pay_str_of(bad[i]), &out),
                     PAY_INVALID, "%s", bad[i]);
    }

    cr_assert_eq(out.len, 77);
}


Test(pay_base64, url_spelling_refuses_padding_alphabet_and_stray_bits)
{
    size_t  i;

    static const char *const  bad[] = {
        "A", "Z", "Zm9vA", "Zg==", "Zm8=", "Zh", "Zm9", "Zm9vY", "Zm9vYh",
        "//79", "++++",
        "Zm9v ", "Zm9v\r", "\nZm9", "Zm.v", "Zg=", "="
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(pay_base64url_decode(arena, pay_str_of(bad[i]), &out),
                     PAY_INVALID, "%s", bad[i]);
    }

    cr_assert_eq(pay_base64url_decode(arena, (pay_str_t) { 4,
                 (const unsigned char *) "Zm\0v" }, &out), PAY_INVALID);
    cr_assert_eq(out.len, 77);
}


/* one value, one text: of all 4-character texts exactly 256 decode to one
 * byte, and each encodes back to itself */
Test(pay_base64, has_one_spelling_per_byte)
{
    unsigned       a, b;
    unsigned       found = 0;
    pay_str_t      back;
    unsigned char  text[4] = "xx==";

    for (a = 0; a < 256; a++) {
        for (b = 0; b < 256; b++) {
            text[0] = (unsigned char) a;
            text[1] = (unsigned char) b;

            if (pay_base64_decode(arena, (pay_str_t) { 4, text }, &out)
                != PAY_OK)
            {
                continue;
            }

            found++;
            cr_assert_eq(pay_base64_encode(arena, out, &back), PAY_OK);
            cr_assert(pay_str_eq(back, (pay_str_t) { 4, text }));
        }
    }

    cr_assert_eq(found, 256);
}


Test(pay_base64, hex_is_lower_case_both_ways)
{
    unsigned char  bytes[3] = { 0, 0xab, 0xff };
    unsigned char  back[3];

    cr_assert_eq(pay_hex_encode(arena, (pay_str_t) { 3, bytes }, &out),
                 PAY_OK);
    cr_assert(pay_str_is(out, "00abff"));
    cr_assert_eq(pay_hex_decode(out, back, 3), PAY_OK);
    cr_assert_eq(memcmp(bytes, back, 3), 0);
}


Test(pay_base64, hex_refuses_other_spellings_and_writes_nothing)
{
    size_t         i;
    unsigned char  back[4] = "xyz";

    static const char *const  bad[] = {
        "", "0", "00ab", "00abf", "00abff0", "00abff00", "00ABFF", "00aBff",
        "0xabff", " 0abff", "00abf ", "00abfg", "00ab-f", "00abf\n", "00ab\xff"
        "f", "00ab:f", "00abf/", "00abf`"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(pay_hex_decode(pay_str_of(bad[i]), back, 3), PAY_INVALID,
                     "%s", bad[i]);
    }

    cr_assert_str_eq((char *) back, "xyz");
}


static pay_status_t
run(pay_arena_t *a, void *result)
{
    pay_str_t  hex, base64, base64url, bytes;

    PAY_TRY(pay_hex_encode(a, PAY_STR("bytes"), &hex));
    PAY_TRY(pay_base64_encode(a, PAY_STR("bytes"), &base64));
    PAY_TRY(pay_base64url_encode(a, PAY_STR("bytes"), &base64url));
    PAY_TRY(pay_base64_decode(a, base64, &bytes));

    return pay_base64url_decode(a, base64url, result);
}


Test(pay_base64, survives_each_failing_allocation)
{
    cr_assert_eq(torture(run, sizeof(pay_str_t)), 5);
}
