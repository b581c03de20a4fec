/*
 * The keyring: which files of keys are read, what is sealed comes back, and
 * nothing that was changed does; and the pieces of a copy of a settlement file.
 */

#include "torture.h"
#include "pay_settle_copy.h"

#include <stdio.h>


#define KEY_A  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B  "//////////////////////////////////////////8="

#define PLAIN  "row_id,type,gross\nr1,sale,12.00\n"
#define AAD    "file 7, piece 1"


static const unsigned char  nonce[PAY_KEYRING_NONCE] = "0123456789a";
static const unsigned char  digest[PAY_SHA256_SIZE] = "of the file";


static pay_keyring_t
ring_of(const char *text)
{
    pay_err_t      err;
    pay_keyring_t  ring;

    cr_assert_eq(pay_keyring_read(pay_str_of(text), &ring, &err), PAY_OK);

    return ring;
}


static pay_str_t
slice(const unsigned char *data, size_t len)
{
    return (pay_str_t) { len, data };
}


Test(pay_keyring, the_first_key_writes_and_all_of_them_read)
{
    size_t          i;
    pay_keyring_t   was, is;
    unsigned char   sealed[256], plain[256];
    pay_str_t       bytes = PAY_STR(PLAIN), aad = PAY_STR(AAD);

    was = ring_of("old " KEY_A "\n");
    cr_assert_eq(pay_keyring_seal(&was, nonce, aad, bytes, sealed), PAY_OK);

    is = ring_of("\nnew.2026-11 " KEY_B "\r\n\nold " KEY_A "  \n");
    cr_expect_eq(is.count, 2);
    cr_expect(pay_str_is(pay_keyring_kid(&is), "new.2026-11"));
    cr_assert_eq(pay_keyring_open(&is, PAY_STR("old"), nonce, aad,
                                  slice(sealed, bytes.len + PAY_KEYRING_TAG),
                                  plain), PAY_OK);
    cr_expect(pay_str_eq(slice(plain, bytes.len), bytes));

    cr_assert_eq(pay_keyring_seal(&is, nonce, aad, bytes, sealed), PAY_OK);
    cr_expect_eq(pay_keyring_open(&was, PAY_STR("new.2026-11"), nonce, aad,
                                  slice(sealed, bytes.len + PAY_KEYRING_TAG),
                                  plain), PAY_NOT_FOUND);

    pay_keyring_wipe(&is);
    for (i = 0; i < sizeof(is); i++) {
        cr_assert_eq(((unsigned char *) &is)[i], 0);
    }
}


/* Test case 16 of "The Galois/Counter Mode of Operation (GCM)" (McGrew and
 * Viega), which NIST publishes beside SP 800-38D. */
Test(pay_keyring, seals_as_the_authors_of_gcm_do)
{
    pay_keyring_t   ring;
    unsigned char   iv[12], aad[20], plain[60], said[76], sealed[76];

    ring = ring_of("k /v/pkoZlcxxtao+UZzCDCP7/6ZKGZXMcbWqPlGcwgwg=\n");
    cr_assert_eq(pay_hex_decode(PAY_STR("cafebabefacedbaddecaf888"), iv, 12),
                 PAY_OK);
    cr_assert_eq(pay_hex_decode(PAY_STR(
        "feedfacedeadbeeffeedfacedeadbeefabaddad2"), aad, 20), PAY_OK);
    cr_assert_eq(pay_hex_decode(PAY_STR(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"),
        plain, 60), PAY_OK);
    cr_assert_eq(pay_hex_decode(PAY_STR(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"), said, 76), PAY_OK);

    cr_assert_eq(pay_keyring_seal(&ring, iv, slice(aad, 20), slice(plain, 60),
                                  sealed), PAY_OK);
    cr_expect_arr_eq(sealed, said, 76);
}


Test(pay_keyring, refuses_a_file_that_is_no_keyring_and_says_which_line)
{
    size_t          i;
    pay_err_t       err;
    pay_status_t    status;
    pay_keyring_t   ring;

    static const struct {
        const char  *text;
        const char  *says;
    } cases[] = {
        { "", "no key is in it" },
        { "\n \n", "no key is in it" },
        { KEY_A "\n", "line 1: a key needs a name" },
        { "a b " KEY_A "\n", "line 1: behind the name" },
        { "a  " KEY_A "\n", "line 1: behind the name" },
        { "a\n", "line 1: behind the name" },
        { "a/b " KEY_A "\n", "line 1: a key needs a name" },
        { "a " KEY_A "\na " KEY_B "\n", "line 2: this name" },
        { "a " KEY_A "\nb AAECAwQFBgcICQoLDA0ODw==\n", "line 2: behind" },
        { "a AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n", "line 1: beh" },
        { "a " KEY_A "AAAA\n", "line 1: behind the name" },
        { "a AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n", "line 1: beh" },
        { "a " KEY_A " b\n", "line 1: behind the name" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        err.detail = NULL;
        status = pay_keyring_read(pay_str_of(cases[i].text), &ring, &err);
        cr_expect_eq(status, PAY_INVALID, "%s", cases[i].text);
        cr_assert_not_null(err.detail);
        cr_expect_not_null(strstr(err.detail, cases[i].says), "%s: %s",
                           cases[i].text, err.detail);
        cr_expect_eq(ring.count, 0);
    }
}


Test(pay_keyring, a_ring_has_sixteen_keys_at_most)
{
    int             n, len = 0;
    char            text[PAY_KEYRING_TEXT_MAX];
    pay_err_t       err;
    pay_keyring_t   ring;

    for (n = 0; n < PAY_KEYRING_KEYS; n++) {
        len += snprintf(text + len, sizeof(text) - (size_t) len, "k%d "
                        KEY_A "\n", n);
    }

    ring = ring_of(text);
    cr_expect_eq(ring.count, PAY_KEYRING_KEYS);

    snprintf(text + len, sizeof(text) - (size_t) len, "one-more " KEY_B "\n");
    cr_expect_eq(pay_keyring_read(pay_str_of(text), &ring, &err),
                 PAY_INVALID);
    cr_expect_not_null(strstr(err.detail, "line 17: at most 16 keys"));
}


/* Each bit of the bytes, the tag, the nonce and the AAD, and each length. */
Test(pay_keyring, opens_nothing_that_was_changed)
{
    size_t          bit, i, len;
    pay_str_t       aad = PAY_STR(AAD), bytes = PAY_STR(PLAIN);
    pay_keyring_t   ring;
    unsigned char   iv[PAY_KEYRING_NONCE], text[sizeof(AAD)];
    unsigned char   sealed[256], plain[256];

    ring = ring_of("a " KEY_A "\nb " KEY_B "\n");
    cr_assert_eq(pay_keyring_seal(&ring, nonce, aad, bytes, sealed), PAY_OK);
    len = bytes.len + PAY_KEYRING_TAG;

    for (bit = 0; bit < 8 * len; bit++) {
        sealed[bit / 8] ^= (unsigned char) (1U << bit % 8);
        memset(plain, 1, sizeof(plain));
        cr_assert_eq(pay_keyring_open(&ring, PAY_STR("a"), nonce, aad,
                                      slice(sealed, len), plain),
                     PAY_INVALID, "bit %zu", bit);
        for (i = 0; i < bytes.len; i++) {
            cr_assert_eq(plain[i], 0, "nothing of it comes out");
        }
        sealed[bit / 8] ^= (unsigned char) (1U << bit % 8);
    }

    for (bit = 0; bit < 8 * sizeof(iv); bit++) {
        memcpy(iv, nonce, sizeof(iv));
        iv[bit / 8] ^= (unsigned char) (1U << bit % 8);
        cr_assert_eq(pay_keyring_open(&ring, PAY_STR("a"), iv, aad,
                                      slice(sealed, len), plain),
                     PAY_INVALID);
    }

    for (bit = 0; bit < 8 * aad.len; bit++) {
        memcpy(text, aad.data, aad.len);
        text[bit / 8] ^= (unsigned char) (1U << bit % 8);
        cr_assert_eq(pay_keyring_open(&ring, PAY_STR("a"), nonce,
                                      slice(text, aad.len),
                                      slice(sealed, len), plain),
                     PAY_INVALID);
    }

    for (i = 0; i < len; i++) {
        cr_assert_eq(pay_keyring_open(&ring, PAY_STR("a"), nonce, aad,
                                      slice(sealed, i), plain), PAY_INVALID);
    }

    cr_expect_eq(pay_keyring_open(&ring, PAY_STR("b"), nonce, aad,
                                  slice(sealed, len), plain), PAY_INVALID,
                 "another key");
    cr_expect_eq(pay_keyring_open(&ring, PAY_STR("a"), nonce, aad,
                                  slice(sealed, len), plain), PAY_OK);
}


Test(pay_keyring, seals_nothing_without_a_key_and_nothing_too_long)
{
    pay_keyring_t   ring;
    unsigned char   out[64];
    static unsigned char  big[PAY_SEAL_MAX + 1];

    ring = ring_of("a " KEY_A "\n");
    cr_expect_eq(pay_keyring_seal(&ring, nonce, PAY_STR(""), slice(big, 0),
                                  out), PAY_OK, "nothing is something");
    cr_expect_eq(pay_keyring_seal(&ring, nonce, PAY_STR(""),
                                  slice(big, PAY_SEAL_MAX + 1), out),
                 PAY_BUG);
    cr_expect_eq(pay_keyring_seal(&ring, nonce,
                                  slice(big, PAY_SEAL_AAD_MAX + 1),
                                  slice(big, 0), out), PAY_BUG);
    pay_keyring_wipe(&ring);
    cr_expect_eq(pay_keyring_seal(&ring, nonce, PAY_STR(""), slice(big, 0),
                                  out), PAY_BUG);
}


/* A copy of `size` bytes, given in steps: pieces[n] is piece n + 1. */
static unsigned
copy_of(const pay_keyring_t *ring, const unsigned char *file, size_t size,
    size_t step, pay_settle_piece_t *pieces)
{
    size_t              n, len, from = 0, given;
    unsigned            count = 0;
    unsigned char      *out;
    pay_settle_copy_t  *copy = pay_alloc(test_arena(), sizeof(*copy));

    pay_settle_copy_begin(copy, ring, digest);

    while (from < size) {
        given = size - from < step ? size - from : step;
        n = pay_settle_copy_take(copy, slice(file + from, given));
        from += n;

        if (n < given) {
            out = pay_alloc(test_arena(), PAY_COPY_SEALED);
            cr_assert_eq(pay_settle_copy_seal(copy, nonce, 0, out,
                                              &pieces[count].number, &len),
                         PAY_OK);
            pieces[count].bytes = slice(out, len);
            pieces[count++].is_last = 0;
        }
    }

    out = pay_alloc(test_arena(), PAY_COPY_SEALED);
    cr_assert_eq(pay_settle_copy_seal(copy, nonce, 1, out,
                                      &pieces[count].number, &len), PAY_OK);
    pieces[count].bytes = slice(out, len);
    pieces[count++].is_last = 1;

    for (n = 0; n < count; n++) {
        pieces[n].kid = PAY_STR("a");
        memcpy(pieces[n].nonce, nonce, sizeof(nonce));
        cr_expect_eq(pieces[n].number, (int64_t) n + 1);
    }

    return count;
}


Test(pay_settle_copy, a_copy_in_pieces_is_the_file)
{
    size_t               i, k, len, size;
    unsigned             n, count;
    pay_keyring_t        ring;
    unsigned char       *file, plain[PAY_COPY_PIECE];
    pay_settle_piece_t   pieces[4];

    static const size_t  sizes[] = {
        0, 1, PAY_COPY_PIECE - 1, PAY_COPY_PIECE, PAY_COPY_PIECE + 1,
        2 * PAY_COPY_PIECE, 3 * PAY_COPY_PIECE - 7
    };
    static const size_t  steps[] = { 1000, PAY_COPY_PIECE, 1000000 };

    ring = ring_of("a " KEY_A "\n");
    file = pay_alloc(test_arena(), 3 * PAY_COPY_PIECE);
    for (i = 0; i < 3 * PAY_COPY_PIECE; i++) {
        file[i] = (unsigned char) (i * 31 >> 3);
    }

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (k = 0; k < 3; k++) {
            count = copy_of(&ring, file, sizes[i], steps[k], pieces);
            cr_expect_eq(count, sizes[i] == 0 ? 1
                         : (sizes[i] + PAY_COPY_PIECE - 1) / PAY_COPY_PIECE);

            for (n = 0, size = 0; n < count; n++, size += len) {
                cr_assert_eq(pay_settle_copy_open(&ring, digest, &pieces[n],
                                                  plain, &len), PAY_OK);
                cr_assert(pay_str_eq(slice(plain, len),
                                     slice(file + size, len)));
            }

            cr_expect_eq(size, sizes[i]);
        }
    }
}


Test(pay_settle_copy, no_piece_takes_the_place_of_another)
{
    size_t               len;
    pay_keyring_t        ring;
    unsigned char       *file, plain[PAY_COPY_PIECE], other[PAY_SHA256_SIZE];
    pay_settle_piece_t   pieces[3], piece;

    ring = ring_of("a " KEY_A "\n");
    file = pay_calloc(test_arena(), 3 * PAY_COPY_PIECE);
    cr_assert_eq(copy_of(&ring, file, 3 * PAY_COPY_PIECE, 65536, pieces), 3);

    piece = pieces[1];
    piece.number = 1;
    cr_expect_eq(pay_settle_copy_open(&ring, digest, &piece, plain, &len),
                 PAY_INVALID, "exchanged");

    piece = pieces[1];
    piece.is_last = 1;
    cr_expect_eq(pay_settle_copy_open(&ring, digest, &piece, plain, &len),
                 PAY_INVALID, "cut behind it");

    piece = pieces[2];
    piece.is_last = 0;
    cr_expect_eq(pay_settle_copy_open(&ring, digest, &piece, plain, &len),
                 PAY_INVALID, "more behind the last");

    memcpy(other, digest, sizeof(other));
    other[31] ^= 1;
    cr_expect_eq(pay_settle_copy_open(&ring, other, &pieces[0], plain, &len),
                 PAY_INVALID, "of another file");

    piece = pieces[0];
    piece.kid = PAY_STR("b");
    cr_expect_eq(pay_settle_copy_open(&ring, digest, &piece, plain, &len),
                 PAY_NOT_FOUND, "a key that is gone");

    piece = pieces[0];
    piece.bytes.len = PAY_KEYRING_TAG - 1;
    cr_expect_eq(pay_settle_copy_open(&ring, digest, &piece, plain, &len),
                 PAY_INVALID, "too short");
}
