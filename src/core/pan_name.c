/*
 * Names under which forms and libraries keep what a merchant must never see:
 * the card verification code, the card number, the magnetic stripe and the
 * PIN (PCI DSS 3.3.1).  A verification code has three or four digits, so its
 * value cannot give it away as that of a card number does.
 */

#include "pay_pan.h"


#define NAME_TAIL  32          /* longer than each of the names below */


/* A name without case and separators, or the end of it. */
typedef struct {
    char    text[NAME_TAIL + 1];
    size_t  start;             /* text[start…]; the text fills it from behind */
    int     whole;             /* nothing of the name was left out */
} pay_plain_name_t;


static void pay_plain_name(pay_str_t name, pay_plain_name_t *plain);
static int pay_name_ends(const pay_plain_name_t *plain, const char *word);
static unsigned char pay_name_byte(unsigned char c);


static const char *const  pay_card_names[] = {
    "cardverificationcode", "cardverificationnumber", "cardverificationvalue",
    "cardsecuritycode", "securitycode", "cvccode", "cvvcode", "cvcnumber",
    "cvvnumber", "cav2", "cid", "csc", "cvd", "cvn", "cvn2",
    "cardcid", "cardcsc", "cardcvd", "cardcvn",
    "pan", "cardpan", "fullpan", "primaryaccountnumber",
    "cardnumber", "cardnum", "cardno", "ccnumber", "ccnum", "ccno",
    "creditcardnumber", "creditcardno", "debitcardnumber",
    "paymentcardnumber", "bankcardnumber",
    "track1", "track2", "track3", "track1data", "track2data", "track3data",
    "trackdata", "track2equivalentdata", "magstripe", "magstripedata",
    "magneticstripe", "magneticstripedata",
    "pin", "pinblock", "cardpin", "encryptedpinblock",
    NULL
};

/* No ordinary word ends like this: "card[cvc]", "buyerCvv2". */
static const char *const  pay_card_ends[] = {
    "cvc", "cvc2", "cvv", "cvv2", NULL
};


/* A name that is longer than NAME_TAIL is none of the list, and may still end
 * with one of pay_card_ends. */
int
pay_pan_is_name(pay_str_t name)
{
    size_t            i;
    const char       *text;
    pay_plain_name_t  plain;

    pay_plain_name(name, &plain);
    text = plain.text + plain.start;

    /* each name of each body comes by: the first byte decides for most */
    for (i = 0; plain.whole && pay_card_names[i] != NULL; i++) {
        if (text[0] == pay_card_names[i][0]
            && strcmp(text, pay_card_names[i]) == 0)
        {
            return 1;
        }
    }

    for (i = 0; pay_card_ends[i] != NULL; i++) {
        if (pay_name_ends(&plain, pay_card_ends[i])) {
            return 1;
        }
    }

    return 0;
}


/* Filled from behind, because the end of a name decides when it is too
 * long. */
static void
pay_plain_name(pay_str_t name, pay_plain_name_t *plain)
{
    size_t         i;
    unsigned char  c;

    plain->start = NAME_TAIL;
    plain->text[NAME_TAIL] = '\0';
    plain->whole = 1;

    for (i = name.len; i > 0; i--) {
        c = pay_name_byte(name.data[i - 1]);

        if (c == '\0') {
            continue;
        }

        if (plain->start == 0) {
            plain->whole = 0;
            return;
        }

        plain->text[--plain->start] = (char) c;
    }
}


static int
pay_name_ends(const pay_plain_name_t *plain, const char *word)
{
    size_t  len = strlen(word);

    return NAME_TAIL - plain->start >= len
           && memcmp(plain->text + NAME_TAIL - len, word, len) == 0;
}


/* In lower case; 0: it separates.  Bytes beyond ASCII are letters, so that
 * "pané" is none of ours. */
static unsigned char
pay_name_byte(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (unsigned char) (c | 0x20);
    }

    return ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80)
           ? c : '\0';
}
