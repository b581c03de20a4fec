/*
 * The lines of a trial: words as nginx takes them apart, and of each line the
 * words around its comparisons.  nginx -t is the judge of a configuration; here
 * a line is refused that would not mean the same there.
 */

#include "risk.h"
#include "pay_risk_trial.h"


#define WORDS_MAX   (2 * PAY_RISK_TERMS_MAX + 8)
#define MERCHANT    "merchant="
#define CODE_LEN    3
#define DIGITS_MAX  9

/* - words: of the line that begins at `line`; at: the next byte. */
typedef struct {
    pay_arena_t       *arena;
    pay_str_t          text;
    size_t             at;
    unsigned           line;
    unsigned           begins;
    pay_str_t          words[WORDS_MAX];
    size_t             count;
    pay_risk_trial_t  *trial;
    pay_err_t         *err;
} reader_t;

typedef struct {
    const char    *name;
    pay_status_t (*read)(reader_t *reader);
} directive_t;


static pay_status_t next_line(reader_t *reader, int *is_end);
static void skip_blanks(reader_t *reader);
static pay_status_t next_word(reader_t *reader);
static pay_status_t read_line(reader_t *reader);
static pay_status_t read_rule(reader_t *reader);
static pay_status_t read_velocity(reader_t *reader);
static pay_status_t set_velocity(reader_t *reader,
    pay_risk_velocity_t *velocity, pay_str_t word, pay_str_t *limit);
static pay_status_t set_limit(reader_t *reader, pay_risk_velocity_t *velocity,
    pay_str_t limit);
static pay_status_t read_scale(reader_t *reader);
static pay_status_t set_scale(reader_t *reader, pay_risk_trial_scale_t *scale,
    pay_str_t word);
static pay_status_t check_name(reader_t *reader);
static int option(pay_str_t word, const char *name, pay_str_t *value);
static int number_of(pay_str_t text, int64_t *number);
static int seconds_of(pay_str_t text, int64_t *seconds);
static int thousandths_of(pay_str_t text, int *number);
static pay_status_t wrong(reader_t *reader, const char *detail);


static const directive_t  directives[] = {
    { "payments_risk_rule", read_rule },
    { "payments_risk_velocity", read_velocity },
    { "payments_risk_score", read_scale }
};

static const char *const  parts[PAY_RISK_TRIAL_PARTS] = {
    "model=", "rules=", "velocity=", "device="
};

static const int  usual[PAY_RISK_TRIAL_PARTS] = { 400, 300, 200, 100 };


pay_status_t
pay_risk_trial_read(pay_arena_t *arena, pay_str_t text,
    pay_risk_trial_t *trial, unsigned *line, pay_err_t *err)
{
    int           is_end = 0;
    reader_t      reader = { .arena = arena, .line = 1, .trial = trial,
                             .err = err };
    pay_status_t  status = pay_dup(arena, text, &reader.text);

    trial->rule_count = 0;
    trial->velocity_count = 0;
    trial->scale_count = 0;

    while (status == PAY_OK && !is_end) {
        status = next_line(&reader, &is_end);

        if (status == PAY_OK && !is_end) {
            status = read_line(&reader);
        }
    }

    *line = reader.begins;

    return status;
}


static pay_status_t
next_line(reader_t *reader, int *is_end)
{
    reader->count = 0;
    skip_blanks(reader);
    reader->begins = reader->line;
    *is_end = reader->at == reader->text.len;

    while (reader->at < reader->text.len
           && reader->text.data[reader->at] != ';')
    {
        PAY_TRY(next_word(reader));
        skip_blanks(reader);
    }

    if (!*is_end && reader->at == reader->text.len) {
        return wrong(reader, "needs a ; at its end");
    }

    reader->at += !*is_end;

    return PAY_OK;
}


/* Blanks and comments. */
static void
skip_blanks(reader_t *reader)
{
    int            is_comment = 0;
    unsigned char  c;

    for ( /* void */ ; reader->at < reader->text.len; reader->at++) {
        c = reader->text.data[reader->at];
        reader->line += c == '\n';
        is_comment = c != '\n' && (is_comment || c == '#');

        if (!is_comment && memchr(" \t\r\n", c, 4) == NULL) {
            return;
        }
    }
}


/* A word in quotes is one, with blanks; nothing in it is escaped, since no line
 * needs that. */
static pay_status_t
next_word(reader_t *reader)
{
    size_t                from = reader->at;
    const char           *ends = " \t\r\n;";
    const unsigned char  *data = reader->text.data;

    if (data[from] == '"' || data[from] == '\'') {
        ends = data[from] == '"' ? "\"" : "'";
        from = ++reader->at;
    }

    while (reader->at < reader->text.len
           && memchr(ends, data[reader->at], strlen(ends)) == NULL)
    {
        if (memchr("\\{}$\"'\n", data[reader->at], 7) != NULL) {
            return wrong(reader, "has one of \\ { } $ or a quote within a "
                                 "word");
        }

        reader->at++;
    }

    if (reader->count == WORDS_MAX || reader->at == reader->text.len) {
        return wrong(reader, reader->count == WORDS_MAX
                             ? "has too many words" : "needs a ; at its end");
    }

    reader->words[reader->count++] =
        (pay_str_t) { reader->at - from, data + from };

    if (ends[1] != '\0') {
        return PAY_OK;
    }

    reader->at++;

    return reader->at == reader->text.len
           || memchr(" \t\r\n;", data[reader->at], 5) != NULL
           ? PAY_OK : wrong(reader, "needs a blank behind a word in quotes");
}


static pay_status_t
read_line(reader_t *reader)
{
    size_t  i;

    for (i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
        if (reader->count > 0
            && pay_str_is(reader->words[0], directives[i].name))
        {
            return directives[i].read(reader);
        }
    }

    return wrong(reader, "is none of payments_risk_rule, "
                         "payments_risk_velocity and payments_risk_score");
}


static pay_status_t
read_rule(reader_t *reader)
{
    size_t            from = 2, until = reader->count;
    pay_str_t         value;
    pay_risk_rule_t  *rule;

    PAY_TRY(check_name(reader));

    if (reader->trial->rule_count == PAY_RISK_RULES_MAX) {
        return wrong(reader, "is one rule too many: there may be 64");
    }

    rule = &reader->trial->rules[reader->trial->rule_count];
    memset(rule, 0, sizeof(*rule));
    rule->name = reader->words[1];

    if (until > from
        && option(reader->words[from], MERCHANT, &rule->merchant_id))
    {
        from++;
    }

    if (until > from && pay_str_is(reader->words[until - 1], "shadow=on")) {
        rule->is_shadow = 1;
        until--;
    }

    if (until <= from || !option(reader->words[until - 1], "then=", &value)
        || pay_risk_action_find(value, &rule->then) != PAY_OK)
    {
        return wrong(reader, "needs then=allow, challenge, review or block "
                             "behind its comparisons");
    }

    PAY_TRY(pay_risk_rule_read(reader->arena, &reader->words[from],
                               until - 1 - from, rule, reader->err));
    reader->trial->rule_count++;

    return PAY_OK;
}


static pay_status_t
read_velocity(reader_t *reader)
{
    size_t                i;
    pay_str_t             limit = { 0, NULL };
    pay_risk_velocity_t  *velocity;

    PAY_TRY(check_name(reader));

    if (reader->trial->velocity_count == PAY_RISK_VELOCITIES_MAX) {
        return wrong(reader, "is one velocity too many: there may be 16");
    }

    velocity = &reader->trial->velocities[reader->trial->velocity_count];
    memset(velocity, 0, sizeof(*velocity));
    velocity->name = reader->words[1];
    velocity->key = PAY_RISK_KEYS;

    for (i = 2; i < reader->count; i++) {
        PAY_TRY(set_velocity(reader, velocity, reader->words[i], &limit));
    }

    if (velocity->key == PAY_RISK_KEYS || velocity->window_s == 0
        || velocity->then == PAY_RISK_ALLOW)
    {
        return wrong(reader, "needs key=, window=, limit= and then= "
                             "challenge, review or block");
    }

    PAY_TRY(set_limit(reader, velocity, limit));
    reader->trial->velocity_count++;

    return PAY_OK;
}


static pay_status_t
set_velocity(reader_t *reader, pay_risk_velocity_t *velocity, pay_str_t word,
    pay_str_t *limit)
{
    int        of, done;
    pay_str_t  value;

    if (option(word, "key=", &value)) {
        done = pay_risk_key_find(value, &velocity->key) == PAY_OK;

    } else if (option(word, "window=", &value)) {
        done = seconds_of(value, &velocity->window_s);

    } else if (option(word, "then=", &value)) {
        done = pay_risk_action_find(value, &velocity->then) == PAY_OK;

    } else if (option(word, "of=", &value)) {
        for (of = 0; of < PAY_RISK_OF_COUNT; of++) {
            if (pay_str_is(value, pay_risk_of_name((pay_risk_of_t) of))) {
                velocity->of = (pay_risk_of_t) of;
                break;
            }
        }

        done = of < PAY_RISK_OF_COUNT;

    } else if (pay_str_is(word, "shadow=on")) {
        velocity->is_shadow = 1;
        done = 1;

    } else {
        done = option(word, "limit=", limit)
               || option(word, MERCHANT, &velocity->merchant_id);
    }

    return done ? PAY_OK : wrong(reader, "has an option or a value that is "
                                         "not known");
}


/* An amount is read, so that a wrong one is seen, and never compared: its sum
 * is not stored. */
static pay_status_t
set_limit(reader_t *reader, pay_risk_velocity_t *velocity, pay_str_t limit)
{
    pay_str_t  amount, code;
    pay_err_t  unused;

    if (velocity->of != PAY_RISK_SUM) {
        return number_of(limit, &velocity->limit) && velocity->limit > 0
               ? PAY_OK : wrong(reader, "needs a number as its limit=");
    }

    if (limit.len > CODE_LEN) {
        amount = (pay_str_t) { limit.len - CODE_LEN, limit.data };
        code = (pay_str_t) { CODE_LEN, limit.data + amount.len };

        if (pay_currency_find(code, &velocity->currency, &unused) == PAY_OK
            && pay_amount_parse(amount, velocity->currency, &velocity->limit,
                                &unused) == PAY_OK)
        {
            return PAY_OK;
        }
    }

    return wrong(reader, "needs an amount as its limit=, as in 10000.00USD");
}


static pay_status_t
read_scale(reader_t *reader)
{
    int                      sum = 0, last = 0, action;
    size_t                   i;
    pay_risk_trial_scale_t  *scale;

    if (reader->trial->scale_count == PAY_RISK_TRIAL_SCALES) {
        return wrong(reader, "is one too many: there may be 16");
    }

    scale = &reader->trial->scales[reader->trial->scale_count++];
    memset(scale, 0, sizeof(*scale));
    memcpy(scale->weights, usual, sizeof(usual));

    for (i = 1; i < reader->count; i++) {
        PAY_TRY(set_scale(reader, scale, reader->words[i]));
    }

    for (i = 0; i < PAY_RISK_TRIAL_PARTS; i++) {
        sum += scale->weights[i];
    }

    for (action = PAY_RISK_CHALLENGE; action < PAY_RISK_ACTIONS; action++) {
        if (scale->thresholds[action] != 0) {
            if (scale->thresholds[action] <= last) {
                return wrong(reader, "needs thresholds that rise: challenge= "
                                     "below review= below block=");
            }

            last = scale->thresholds[action];
        }
    }

    return sum == 1000 ? PAY_OK
                       : wrong(reader, "needs weights that add up to 1");
}


static pay_status_t
set_scale(reader_t *reader, pay_risk_trial_scale_t *scale, pay_str_t word)
{
    size_t     i;
    pay_str_t  value;

    static const char *const  limits[PAY_RISK_ACTIONS] = {
        [PAY_RISK_CHALLENGE] = "challenge=", [PAY_RISK_REVIEW] = "review=",
        [PAY_RISK_BLOCK] = "block="
    };

    for (i = 0; i < PAY_RISK_TRIAL_PARTS; i++) {
        if (option(word, parts[i], &value)
            && thousandths_of(value, &scale->weights[i]))
        {
            return PAY_OK;
        }
    }

    for (i = PAY_RISK_CHALLENGE; i < PAY_RISK_ACTIONS; i++) {
        if (option(word, limits[i], &value)
            && thousandths_of(value, &scale->thresholds[i]))
        {
            return PAY_OK;
        }
    }

    if (pay_str_is(word, "shadow=on")) {
        scale->is_shadow = 1;
        return PAY_OK;
    }

    return option(word, MERCHANT, &scale->merchant_id)
           ? PAY_OK : wrong(reader, "has an option that is not known, or a "
                                    "number that is not from 0 to 1 with at "
                                    "most three decimals");
}


static pay_status_t
check_name(reader_t *reader)
{
    unsigned                 i;
    pay_str_t                name;
    const pay_risk_trial_t  *trial = reader->trial;

    name = reader->count < 2 ? PAY_STR("") : reader->words[1];

    for (i = 0; i < name.len; i++) {
        if (name.data[i] <= ' ' || name.data[i] > '~'
            || memchr("=\"\\", name.data[i], 3) != NULL)
        {
            break;
        }
    }

    if (name.len == 0 || name.len > PAY_RISK_NAME_MAX || i < name.len) {
        return wrong(reader, "needs a name first, of at most 32 visible "
                             "characters without =");
    }

    for (i = 0; i < trial->rule_count; i++) {
        if (pay_str_eq(trial->rules[i].name, name)) {
            return wrong(reader, "has the name of another line");
        }
    }

    for (i = 0; i < trial->velocity_count; i++) {
        if (pay_str_eq(trial->velocities[i].name, name)) {
            return wrong(reader, "has the name of another line");
        }
    }

    return PAY_OK;
}


/* 1 with the value of NAME=VALUE, which is not empty. */
static int
option(pay_str_t word, const char *name, pay_str_t *value)
{
    size_t  len = strlen(name);

    if (word.len <= len || memcmp(word.data, name, len) != 0) {
        return 0;
    }

    *value = (pay_str_t) { word.len - len, word.data + len };

    return 1;
}


static int
number_of(pay_str_t text, int64_t *number)
{
    size_t  i;

    *number = 0;

    for (i = 0; i < text.len; i++) {
        if (i == DIGITS_MAX || text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }

        *number = *number * 10 + text.data[i] - '0';
    }

    return text.len != 0;
}


/* A number with s, m, h or d behind it, or with nothing. */
static int
seconds_of(pay_str_t text, int64_t *seconds)
{
    int64_t      unit = 1;
    size_t       i;
    pay_str_t    number = text;

    static const struct {
        char     letter;
        int64_t  unit;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };

    for (i = 0; i < sizeof(units) / sizeof(units[0]) && text.len > 1; i++) {
        if (text.data[text.len - 1] == units[i].letter) {
            unit = units[i].unit;
            number.len--;
            break;
        }
    }

    if (!number_of(number, seconds) || *seconds == 0) {
        return 0;
    }

    *seconds *= unit;

    return *seconds <= PAY_RISK_WINDOW_MAX_S;
}


static int
thousandths_of(pay_str_t text, int *number)
{
    int     value = 0, place = 1000;
    size_t  i;

    if (text.len == 0 || text.len > 5 || (text.data[0] | 1) != '1'
        || (text.len > 1 && text.data[1] != '.'))
    {
        return 0;
    }

    value = (text.data[0] - '0') * 1000;

    for (i = 2; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }

        place /= 10;
        value += (text.data[i] - '0') * place;
    }

    *number = value;

    return value <= 1000;
}


static pay_status_t
wrong(reader_t *reader, const char *detail)
{
    return pay_refuse(reader->err, "configuration", detail);
}
