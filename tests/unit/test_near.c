/*
 * What a misspelt word was meant to be: near words are found, others are not
 * guessed at, and no word reads beyond its bound.
 */

#include <criterion/criterion.h>

#include "pay_near.h"


static const char *const  words[] = {
    "jwt_key", "return_host", "psp", "route", "result_key_file", "disabled",
    "webhook_key_file", "webhook_url", "concurrency=", NULL
};


static unsigned
distance(const char *a, const char *b)
{
    return pay_near_distance(pay_str_of(a), pay_str_of(b));
}


static void
expect(const char *word, const char *near)
{
    const char  *got = pay_near(pay_str_of(word), words);

    if (near == NULL) {
        cr_expect_null(got, "%s: %s", word, got);
        return;
    }

    cr_expect(got != NULL && strcmp(got, near) == 0, "%s: %s", word,
              got == NULL ? "none" : got);
}


Test(pay_near, an_edit_is_a_letter_more_or_less_or_another_or_a_swap)
{
    cr_expect_eq(distance("", ""), 0);
    cr_expect_eq(distance("", "abc"), 3);
    cr_expect_eq(distance("abc", ""), 3);
    cr_expect_eq(distance("abc", "abc"), 0);
    cr_expect_eq(distance("ABC", "abc"), 0);
    cr_expect_eq(distance("abc", "abcd"), 1);
    cr_expect_eq(distance("abcd", "acd"), 1);
    cr_expect_eq(distance("abc", "axc"), 1);
    cr_expect_eq(distance("abcd", "acbd"), 1);
    cr_expect_eq(distance("kitten", "sitting"), 3);
    cr_expect_eq(distance("ca", "abc"), 3);
    cr_expect_eq(distance("intention", "execution"), 5);
}


Test(pay_near, a_distance_is_the_same_both_ways)
{
    size_t  i, k;

    for (i = 0; words[i] != NULL; i++) {
        for (k = 0; words[k] != NULL; k++) {
            cr_expect_eq(distance(words[i], words[k]),
                         distance(words[k], words[i]), "%s %s", words[i],
                         words[k]);
        }
    }
}


Test(pay_near, a_misspelt_word_finds_what_was_meant)
{
    expect("return_hosts", "return_host");
    expect("retrun_host", "return_host");
    expect("returnhost", "return_host");
    expect("Return-Host", "return_host");
    expect("jwtkey", "jwt_key");
    expect("pps", "psp");
    expect("routes", "route");
    expect("concurency=", "concurrency=");
    expect("disable", "disabled");
}


Test(pay_near, a_beginning_finds_the_only_word_that_goes_on_so)
{
    expect("result", "result_key_file");
    expect("webhook_k", "webhook_key_file");
    expect("webhook_", NULL);
    expect("re", NULL);
}


Test(pay_near, a_word_that_is_like_none_finds_none)
{
    expect("", NULL);
    expect("x", NULL);
    expect("xyz", NULL);
    expect("amount", NULL);
    expect("timeout", NULL);
}


Test(pay_near, a_word_of_any_length_stays_within_its_bound)
{
    size_t         len;
    pay_str_t      word;
    unsigned char  bytes[3 * PAY_NEAR_MAX];

    memset(bytes, 'r', sizeof(bytes));

    for (len = 0; len <= sizeof(bytes); len++) {
        word.data = bytes;
        word.len = len;
        cr_expect(len < 4 || pay_near(word, words) == NULL, "%zu", len);
        cr_expect_eq(pay_near_distance(word, word),
                     len > PAY_NEAR_MAX ? PAY_NEAR_MAX + 1 : 0);
    }
}
