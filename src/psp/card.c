/*
 * The words of PSPs about the cards of attempts, all of them hints for risk
 * (docs/risk.md#facts-after-the-psp).  So a value of another form counts as not
 * said, and never refuses the event that it comes with.
 */

#include "psp/psp.h"


#define CARD_NAME_MAX   128
#define CARD_BIN_MIN    6
#define CARD_BIN_MAX    8
#define CARD_SCORE_MAX  100


static int card_is_visible(pay_str_t text);
static int card_is_between(pay_str_t text, unsigned char first,
    unsigned char last);


const pay_psp_said_t  pay_psp_fundings[] = {
    { "credit", "credit" }, { "debit", "debit" }, { "prepaid", "prepaid" },
    { NULL, NULL }
};


pay_status_t
pay_psp_card_name(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *to)
{
    pay_str_t  text;

    return (pay_json_string(pay_json_get(json, member), &text) == PAY_OK
            && card_is_visible(text))
           ? pay_dup(arena, text, to) : PAY_OK;
}


static int
card_is_visible(pay_str_t text)
{
    return text.len >= 1 && text.len <= CARD_NAME_MAX
           && card_is_between(text, '!', '~');
}


/* Nine digits or more might be a card's number. */
pay_status_t
pay_psp_card_bin(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *to)
{
    pay_str_t  text;

    return (pay_json_string(pay_json_get(json, member), &text) == PAY_OK
            && text.len >= CARD_BIN_MIN && text.len <= CARD_BIN_MAX
            && card_is_between(text, '0', '9'))
           ? pay_dup(arena, text, to) : PAY_OK;
}


pay_status_t
pay_psp_card_country(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *to)
{
    pay_str_t  text;

    return (pay_json_string(pay_json_get(json, member), &text) == PAY_OK
            && text.len == 2 && card_is_between(text, 'A', 'Z'))
           ? pay_dup(arena, text, to) : PAY_OK;
}


static int
card_is_between(pay_str_t text, unsigned char first, unsigned char last)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < first || text.data[i] > last) {
            return 0;
        }
    }

    return 1;
}


void
pay_psp_card_word(const pay_psp_said_t *words, const pay_json_t *json,
    const char *member, pay_str_t *to)
{
    for (/* void */; words->word != NULL; words++) {
        if (pay_psp_is(json, member, words->word)) {
            *to = pay_str_of(words->ours);
        }
    }
}


/* Adyen writes numbers as text. */
void
pay_psp_card_score(const pay_json_t *json, const char *member,
    pay_psp_card_t *card)
{
    size_t     i;
    int64_t    score = 0;
    pay_str_t  text;

    if (pay_json_string(pay_json_get(json, member), &text) == PAY_OK) {
        if (text.len < 1 || text.len > 3
            || !card_is_between(text, '0', '9'))
        {
            return;
        }

        for (i = 0; i < text.len; i++) {
            score = score * 10 + text.data[i] - '0';
        }

    } else if (pay_json_integer(pay_json_get(json, member), &score)
               != PAY_OK)
    {
        return;
    }

    if (score >= 0 && score <= CARD_SCORE_MAX) {
        card->has_score = 1;
        card->score = score;
    }
}


int
pay_psp_card_says(const pay_psp_card_t *card)
{
    return card->card.len || card->bin.len || card->country.len
           || card->funding.len || card->three_d.len || card->level.len
           || card->has_score || card->warning.len;
}
