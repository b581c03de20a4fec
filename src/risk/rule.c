/*
 * Rules: comparisons with "and" and "or" between them, read once from a line
 * of the configuration.  A fact that is not known makes no comparison hold, so
 * that a rule never hits by a missing one, unless it asks for that.
 */

#include "risk.h"


#define NUMBER_DIGITS  9
#define CODE_LEN       3


static pay_status_t read_term(pay_arena_t *arena, pay_str_t word,
    pay_risk_term_t *term, pay_err_t *err);
static pay_status_t split(pay_str_t word, pay_risk_term_t *term,
    pay_str_t *value, pay_err_t *err);
static int find_attribute(pay_str_t name, pay_risk_attribute_t *attribute);
static size_t read_compare(pay_str_t text, pay_risk_compare_t *compare);
static pay_status_t read_other(pay_str_t value, pay_risk_term_t *term,
    pay_err_t *err);
static pay_status_t read_texts(pay_arena_t *arena, pay_str_t value,
    pay_risk_term_t *term, pay_err_t *err);
static pay_status_t read_number(pay_str_t value, pay_risk_term_t *term,
    pay_err_t *err);
static pay_status_t read_amount(pay_str_t value, pay_risk_term_t *term,
    pay_err_t *err);
static pay_risk_truth_t holds(const pay_risk_term_t *term,
    const pay_risk_facts_t *facts);
static pay_risk_truth_t truth(int holds_so);
static int text_holds(const pay_risk_term_t *term,
    const pay_risk_facts_t *facts, pay_str_t text);
static int number_holds(pay_risk_compare_t compare, int64_t a, int64_t b);
static pay_status_t wrong(pay_err_t *err, const char *detail);


/* The two-character ones first. */
static const struct {
    const char          *text;
    pay_risk_compare_t   compare;
} compares[] = {
    { ">=", PAY_RISK_GE }, { "<=", PAY_RISK_LE }, { "!=", PAY_RISK_NE },
    { ">", PAY_RISK_GT }, { "<", PAY_RISK_LT }, { "=", PAY_RISK_EQ }
};


pay_status_t
pay_risk_rule_read(pay_arena_t *arena, const pay_str_t *words, size_t count,
    pay_risk_rule_t *rule, pay_err_t *err)
{
    size_t            i;
    pay_risk_term_t  *term;

    if (count < 2 || count % 2 != 0 || !pay_str_is(words[0], "if")) {
        return wrong(err, "needs \"if\", comparisons without blanks like "
                          "amount>=500.00USD, and \"and\" or \"or\" between "
                          "them");
    }

    if (count / 2 > PAY_RISK_TERMS_MAX) {
        return wrong(err, "has more than 16 comparisons: make several rules "
                          "of it");
    }

    rule->terms = pay_calloc(arena, count / 2 * sizeof(pay_risk_term_t));
    if (rule->terms == NULL) {
        return PAY_NO_MEMORY;
    }

    rule->term_count = (unsigned) (count / 2);

    for (i = 0; i < rule->term_count; i++) {
        term = &rule->terms[i];
        term->begins_or = pay_str_is(words[2 * i], "or");

        if (i != 0 && !term->begins_or && !pay_str_is(words[2 * i], "and")) {
            return wrong(err, "needs \"and\" or \"or\" between comparisons, "
                              "which have no blanks themselves");
        }

        PAY_TRY(read_term(arena, words[2 * i + 1], term, err));
    }

    return PAY_OK;
}


static pay_status_t
read_term(pay_arena_t *arena, pay_str_t word, pay_risk_term_t *term,
    pay_err_t *err)
{
    int              is_equal;
    pay_str_t        value;
    pay_risk_type_t  type;

    PAY_TRY(split(word, term, &value, err));
    is_equal = term->compare == PAY_RISK_EQ || term->compare == PAY_RISK_NE;
    type = pay_risk_attributes[term->attribute].type;

    if (pay_str_is(value, "missing")) {
        term->of_missing = 1;
        return is_equal ? PAY_OK
                        : wrong(err, "missing goes with = and != alone");
    }

    if (type == PAY_RISK_TEXT && !is_equal) {
        return wrong(err, "a text is compared by = or !=");
    }

    if (value.data[0] == ':') {
        return read_other(value, term, err);
    }

    switch (type) {

    case PAY_RISK_TEXT:
        return read_texts(arena, value, term, err);

    case PAY_RISK_NUMBER:
        return read_number(value, term, err);

    default:
        return read_amount(value, term, err);
    }
}


static pay_status_t
split(pay_str_t word, pay_risk_term_t *term, pay_str_t *value, pay_err_t *err)
{
    size_t     i, len;
    pay_str_t  name;

    for (i = 0; i < word.len; i++) {
        if (memchr("<>!=", word.data[i], sizeof("<>!=") - 1) != NULL) {
            break;
        }
    }

    name = (pay_str_t) { i, word.data };

    if (!find_attribute(name, &term->attribute)) {
        return wrong(err, "begins with an attribute that is not known: see "
                          "the list in docs/risk.md");
    }

    len = read_compare((pay_str_t) { word.len - i, word.data + i },
                       &term->compare);
    *value = (pay_str_t) { word.len - i - len, word.data + i + len };

    if (len == 0 || value->len == 0) {
        return wrong(err, "needs one of = != < <= > >= and a value behind "
                          "it, without blanks");
    }

    return PAY_OK;
}


static int
find_attribute(pay_str_t name, pay_risk_attribute_t *attribute)
{
    unsigned  i;

    for (i = 0; i < PAY_RISK_ATTRIBUTES; i++) {
        if (pay_str_is(name, pay_risk_attributes[i].name)) {
            *attribute = (pay_risk_attribute_t) i;
            return 1;
        }
    }

    return 0;
}


/* How many bytes it has; 0: there is none. */
static size_t
read_compare(pay_str_t text, pay_risk_compare_t *compare)
{
    size_t  i, len;

    for (i = 0; i < sizeof(compares) / sizeof(compares[0]); i++) {
        len = strlen(compares[i].text);

        if (text.len >= len && memcmp(text.data, compares[i].text, len) == 0) {
            *compare = compares[i].compare;
            return len;
        }
    }

    return 0;
}


/* Two amounts of a checkout are of one currency. */
static pay_status_t
read_other(pay_str_t value, pay_risk_term_t *term, pay_err_t *err)
{
    term->of_other = 1;

    if (!find_attribute((pay_str_t) { value.len - 1, value.data + 1 },
                        &term->other)
        || pay_risk_attributes[term->other].type
           != pay_risk_attributes[term->attribute].type)
    {
        return wrong(err, "needs an attribute of the same type behind \":\"");
    }

    return PAY_OK;
}


/* Several texts stand with commas between them. */
static pay_status_t
read_texts(pay_arena_t *arena, pay_str_t value, pay_risk_term_t *term,
    pay_err_t *err)
{
    size_t     i, from = 0;
    pay_str_t  copy;

    PAY_TRY(pay_dup(arena, value, &copy));

    term->values = pay_alloc(arena, PAY_RISK_VALUES_MAX * sizeof(pay_str_t));
    if (term->values == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i <= copy.len; i++) {
        if (i < copy.len && copy.data[i] != ',') {
            continue;
        }

        if (i == from || term->value_count == PAY_RISK_VALUES_MAX) {
            return wrong(err, "needs 1 to 32 values with a comma between "
                              "them");
        }

        term->values[term->value_count++] =
            (pay_str_t) { i - from, copy.data + from };
        from = i + 1;
    }

    return PAY_OK;
}


static pay_status_t
read_number(pay_str_t value, pay_risk_term_t *term, pay_err_t *err)
{
    size_t  i;

    for (i = 0; i < value.len; i++) {
        if (i == NUMBER_DIGITS || value.data[i] < '0' || value.data[i] > '9') {
            return wrong(err, "needs a whole number of at most 9 digits");
        }

        term->number = term->number * 10 + value.data[i] - '0';
    }

    return PAY_OK;
}


static pay_status_t
read_amount(pay_str_t value, pay_risk_term_t *term, pay_err_t *err)
{
    pay_err_t  unused;
    pay_str_t  code, text;

    if (value.len > CODE_LEN) {
        text = (pay_str_t) { value.len - CODE_LEN, value.data };
        code = (pay_str_t) { CODE_LEN, value.data + text.len };

        if (pay_currency_find(code, &term->currency, &unused) == PAY_OK
            && pay_amount_parse(text, term->currency, &term->number, &unused)
               == PAY_OK)
        {
            return PAY_OK;
        }
    }

    return wrong(err, "needs an amount in the decimals of its currency, as in "
                      "500.00USD");
}


int
pay_risk_rule_hits(const pay_risk_rule_t *rule, const pay_risk_facts_t *facts)
{
    return pay_risk_rule_truth(rule, facts) == PAY_RISK_YES;
}


/* "or" separates groups, all comparisons of one of which have to hold: the
 * least of a group, and of the groups the greatest. */
pay_risk_truth_t
pay_risk_rule_truth(const pay_risk_rule_t *rule,
    const pay_risk_facts_t *facts)
{
    unsigned          i;
    pay_risk_truth_t  one, all = PAY_RISK_YES, any = PAY_RISK_NO;

    for (i = 0; i < rule->term_count; i++) {
        if (rule->terms[i].begins_or) {
            any = all > any ? all : any;

            if (any == PAY_RISK_YES) {
                return any;
            }

            all = PAY_RISK_YES;
        }

        if (all != PAY_RISK_NO) {
            one = holds(&rule->terms[i], facts);
            all = one < all ? one : all;
        }
    }

    return all > any ? all : any;
}


static pay_risk_truth_t
holds(const pay_risk_term_t *term, const pay_risk_facts_t *facts)
{
    const pay_risk_value_t  *value = &facts->values[term->attribute];
    const pay_risk_value_t  *other = term->of_other
                                     ? &facts->values[term->other] : value;

    if (term->of_missing) {
        return value->is_lost ? PAY_RISK_UNKNOWN
               : truth(value->is_known == (term->compare == PAY_RISK_NE));
    }

    if ((!value->is_known && !value->is_lost)
        || (!other->is_known && !other->is_lost))
    {
        return PAY_RISK_NO;
    }

    if (value->is_lost || value->is_hidden || other->is_lost
        || other->is_hidden)
    {
        return PAY_RISK_UNKNOWN;
    }

    if (pay_risk_attributes[term->attribute].type == PAY_RISK_TEXT) {
        return truth(text_holds(term, facts, value->text));
    }

    if (term->currency != NULL && term->currency != facts->request->currency) {
        return PAY_RISK_NO;
    }

    return truth(number_holds(term->compare, value->number,
                              term->of_other ? other->number : term->number));
}


static pay_risk_truth_t
truth(int holds_so)
{
    return holds_so ? PAY_RISK_YES : PAY_RISK_NO;
}


static int
text_holds(const pay_risk_term_t *term, const pay_risk_facts_t *facts,
    pay_str_t text)
{
    int       is_one = 0;
    unsigned  i;

    if (term->of_other) {
        is_one = pay_str_eq(text, facts->values[term->other].text);
    }

    for (i = 0; i < term->value_count && !is_one; i++) {
        is_one = pay_str_eq(text, term->values[i]);
    }

    return is_one == (term->compare == PAY_RISK_EQ);
}


static int
number_holds(pay_risk_compare_t compare, int64_t a, int64_t b)
{
    switch (compare) {

    case PAY_RISK_EQ:
        return a == b;

    case PAY_RISK_NE:
        return a != b;

    case PAY_RISK_LT:
        return a < b;

    case PAY_RISK_LE:
        return a <= b;

    case PAY_RISK_GT:
        return a > b;

    default:
        return a >= b;
    }
}


static pay_status_t
wrong(pay_err_t *err, const char *detail)
{
    return pay_refuse(err, "configuration", detail);
}
