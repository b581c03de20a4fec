/*
 * Identifiers: the layout of UUIDv7, the handle's alphabet, and ids that
 * storefronts must not choose.
 */

#include <criterion/criterion.h>

#include "pay_id.h"


/* RFC 9562 appendix A.6 */
Test(pay_id, uuid7_gives_the_vector_of_the_rfc)
{
    char                        text[PAY_UUID_TEXT];
    static const unsigned char  entropy[PAY_UUID_ENTROPY] = {
        0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f
    };

    pay_uuid7(UINT64_C(0x017f22e279b0), entropy, text);
    cr_assert_eq(memcmp(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                        PAY_UUID_TEXT), 0, "%.36s", text);
}


Test(pay_id, uuid7_keeps_version_and_variant_whatever_comes_in)
{
    char           text[PAY_UUID_TEXT + 1];
    unsigned char  entropy[PAY_UUID_ENTROPY];

    text[PAY_UUID_TEXT] = '|';

    memset(entropy, 0xff, sizeof(entropy));
    pay_uuid7(UINT64_MAX, entropy, text);
    cr_assert_eq(memcmp(text, "ffffffff-ffff-7fff-bfff-ffffffffffff|",
                        PAY_UUID_TEXT + 1), 0, "%.37s", text);

    memset(entropy, 0, sizeof(entropy));
    pay_uuid7(0, entropy, text);
    cr_assert_eq(memcmp(text, "00000000-0000-7000-8000-000000000000|",
                        PAY_UUID_TEXT + 1), 0, "%.37s", text);
}


Test(pay_id, uuid7_sorts_by_time)
{
    char           earlier[PAY_UUID_TEXT], later[PAY_UUID_TEXT];
    uint64_t       ms;
    unsigned char  high[PAY_UUID_ENTROPY], low[PAY_UUID_ENTROPY];

    memset(high, 0xff, sizeof(high));
    memset(low, 0, sizeof(low));

    for (ms = 1; ms < UINT64_C(1) << 47; ms *= 3) {
        pay_uuid7(ms, high, earlier);
        pay_uuid7(ms + 1, low, later);
        cr_assert_lt(memcmp(earlier, later, PAY_UUID_TEXT), 0);
    }
}


Test(pay_id, uuid7_uses_every_entropy_byte)
{
    unsigned       i;
    char           zero[PAY_UUID_TEXT], other[PAY_UUID_TEXT];
    unsigned char  entropy[PAY_UUID_ENTROPY] = { 0 };

    pay_uuid7(1, entropy, zero);

    for (i = 0; i < PAY_UUID_ENTROPY; i++) {
        memset(entropy, 0, sizeof(entropy));
        entropy[i] = 1;
        pay_uuid7(1, entropy, other);
        cr_assert_neq(memcmp(zero, other, PAY_UUID_TEXT), 0, "byte %u", i);
    }
}


Test(pay_id, handle_is_base64url_of_all_its_bytes)
{
    unsigned       i;
    char           zero[PAY_HANDLE_MAX], text[PAY_HANDLE_MAX];
    unsigned char  entropy[PAY_HANDLE_BYTES];

    text[PAY_HANDLE_TEXT] = '|';
    memset(entropy, 0xff, sizeof(entropy));
    pay_handle(entropy, 0, text);
    cr_assert_eq(memcmp(text, "________________________________|", 33), 0);

    memcpy(entropy, "\xfb\xef\xbe" "foobar0123456789abcdef", 24);
    pay_handle(entropy, 0, text);
    cr_assert_eq(memcmp(text, "----Zm9vYmFyMDEyMzQ1Njc4OWFiY2Rl|", 33), 0,
                 "%.33s", text);

    memset(entropy, 0, sizeof(entropy));
    pay_handle(entropy, 0, zero);

    for (i = 0; i < PAY_HANDLE_BYTES; i++) {
        memset(entropy, 0, sizeof(entropy));
        entropy[i] = 1;
        pay_handle(entropy, 0, text);
        cr_assert_neq(memcmp(zero, text, PAY_HANDLE_TEXT), 0, "byte %u", i);
        cr_assert(pay_handle_is_valid((pay_str_t) { PAY_HANDLE_TEXT,
                  (unsigned char *) text }));
    }
}


/* else a handle of one cell could be looked up in another by chance */
Test(pay_id, the_letter_of_a_cell_stands_in_front)
{
    size_t         len;
    char           text[PAY_HANDLE_MAX];
    pay_str_t      handle = { 0, (unsigned char *) text };
    unsigned char  entropy[PAY_HANDLE_BYTES];

    memset(entropy, 0xff, sizeof(entropy));

    handle.len = len = pay_handle(entropy, 'q', text);
    cr_assert_eq(len, 33);
    cr_assert_eq(memcmp(text, "q________________________________", 33), 0);
    cr_assert(pay_handle_is_valid(handle));
    cr_assert_eq(pay_handle_letter(handle), 'q');

    /* as it is without one, it may begin with any letter */
    handle.data++;
    handle.len--;
    cr_assert(pay_handle_is_valid(handle));
    cr_assert_eq(pay_handle_letter(handle), 0);

    handle = (pay_str_t) { 33, (unsigned char *) text };
    text[0] = 'Q';
    cr_assert_not(pay_handle_is_valid(handle));
    text[0] = '1';
    cr_assert_not(pay_handle_is_valid(handle));
}


Test(pay_id, handle_of_another_length_or_alphabet_is_refused)
{
    unsigned       i;
    unsigned char  text[PAY_HANDLE_TEXT + 1];

    memset(text, 'A', sizeof(text));

    cr_assert(pay_handle_is_valid((pay_str_t) { 32, text }));
    cr_assert_not(pay_handle_is_valid((pay_str_t) { 31, text }));
    cr_assert_not(pay_handle_is_valid((pay_str_t) { 33, text }));
    cr_assert_not(pay_handle_is_valid((pay_str_t) { 0, NULL }));

    for (i = 0; i < 256; i++) {
        text[31] = (unsigned char) i;
        cr_assert_eq(pay_handle_is_valid((pay_str_t) { 32, text }),
                     i != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_", (int) i) != NULL,
                     "byte %u", i);
    }
}


Test(pay_id, ids_are_1_to_64_harmless_characters)
{
    unsigned       i;
    unsigned char  text[PAY_ID_MAX + 1];

    memset(text, 'a', sizeof(text));

    cr_assert(pay_id_is_valid((pay_str_t) { 1, text }));
    cr_assert(pay_id_is_valid((pay_str_t) { PAY_ID_MAX, text }));
    cr_assert_not(pay_id_is_valid((pay_str_t) { PAY_ID_MAX + 1, text }));
    cr_assert_not(pay_id_is_valid((pay_str_t) { 0, NULL }));

    for (i = 0; i < 256; i++) {
        text[1] = (unsigned char) i;
        cr_assert_eq(pay_id_is_valid((pay_str_t) { 3, text }),
                     i != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz"
                                      "0123456789._~-", (int) i) != NULL,
                     "byte %u", i);
    }
}


Test(pay_id, hostile_ids_are_refused)
{
    size_t  i;

    static const char *const  bad[] = {
        "", " ", "a b", " a", "a ", "a:b", "a/b", "../x", "..\\x", "a%00",
        "a\n", "a\r\nX: y", "'; drop table pay.checkout; --", "\"", "<b>",
        "a,b", "a+b", "a=b", "a@b", "\xc3\xa9", "\xff", "{id}", "a\tb", "a|b",
        ".", ".."
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_not(pay_id_is_valid(pay_str_of(bad[i])), "%s", bad[i]);
    }
}


Test(pay_id, cells_are_1_to_32_small_letters_digits_and_dashes)
{
    unsigned       i;
    unsigned char  text[PAY_CELL_NAME + 1];

    memset(text, 'a', sizeof(text));

    cr_assert(pay_cell_is_valid((pay_str_t) { 1, text }));
    cr_assert(pay_cell_is_valid((pay_str_t) { PAY_CELL_NAME, text }));
    cr_assert_not(pay_cell_is_valid((pay_str_t) { PAY_CELL_NAME + 1, text }));
    cr_assert_not(pay_cell_is_valid((pay_str_t) { 0, NULL }));

    for (i = 0; i < 256; i++) {
        text[1] = (unsigned char) i;
        cr_assert_eq(pay_cell_is_valid((pay_str_t) { 3, text }),
                     i != 0 && strchr("abcdefghijklmnopqrstuvwxyz0123456789-",
                                      (int) i) != NULL, "byte %u", i);
    }
}
