/*
 * payctl completion: a script for bash or zsh that completes commands, options
 * and their words.  They are taken out of the forms of help (help.h), so that a
 * new option needs nothing here.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define WORDS_MAX     4096     /* of all commands */
#define WORD_SIZE     64
#define FILE_WORD     "@file"  /* a value that is a file's name … */
#define VALUE_WORD    "@value" /* … or anything else */

/* Behind the words `key`, `word` may come next. */
typedef struct {
    char  key[WORD_SIZE];
    char  word[WORD_SIZE];
} word_t;

typedef struct {
    word_t  *words;
    size_t   count;
} words_t;


static void add_form(words_t *words, const char *form);
static size_t add_verbs(words_t *words, const char *form,
    char keys[][WORD_SIZE], size_t *count);
static void add_options(words_t *words, const char *key, const char *form);
static void add_value(words_t *words, const char *key, const char *option,
    const char *value);
static void add_word(words_t *words, const char *key, const char *word,
    size_t len);
static void join(char text[WORD_SIZE], const char *a, const char *b,
    size_t len);
static int compare(const void *a, const void *b);
static void print_words(const words_t *words);


const char  pay_cli_completion_usage[] =
    "usage: payctl completion bash|zsh\n"
    "Prints a script that completes commands, options and their words.\n";

#define KEYS_MAX  32           /* verbs of one form: "files|ageing" */

/* The longest chain of verbs that is known is the key; options and their values
 * between them are no verbs. */
static const char  bash_script[] =
    "_payctl() {\n"
    "    local cur prev key word words i\n"
    "    cur=${COMP_WORDS[COMP_CWORD]}\n"
    "    prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    key=\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        case \" $(_payctl_words \"$key\") \" in\n"
    "            *\" $word \"*) [[ $word == -* ]] || key=${key:+$key }$word"
    " ;;\n"
    "        esac\n"
    "    done\n"
    "    words=\n"
    "    [[ $prev == -* ]] && words=$(_payctl_words \"$key $prev\")\n"
    "    [[ -n $words ]] || words=$(_payctl_words \"$key\")\n"
    "    case $words in\n"
    "        " VALUE_WORD ") COMPREPLY=() ;;\n"
    "        " FILE_WORD ") mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")"
    " ;;\n"
    "        *) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")"
    " ;;\n"
    "    esac\n"
    "}\n"
    "complete -o filenames -F _payctl payctl\n";

static const char  zsh_script[] =
    "_payctl() {\n"
    "    local key=\"\" list i\n"
    "    for ((i = 2; i < CURRENT; i++)); do\n"
    "        case \" $(_payctl_words \"$key\") \" in\n"
    "            *\" ${words[i]} \"*) [[ ${words[i]} == -* ]] ||"
    " key=${key:+$key }${words[i]} ;;\n"
    "        esac\n"
    "    done\n"
    "    list=\"\"\n"
    "    [[ ${words[CURRENT-1]} == -* ]] &&"
    " list=$(_payctl_words \"$key ${words[CURRENT-1]}\")\n"
    "    [[ -n $list ]] || list=$(_payctl_words \"$key\")\n"
    "    case $list in\n"
    "        " VALUE_WORD ") ;;\n"
    "        " FILE_WORD ") _files ;;\n"
    "        *) compadd -- ${=list} ;;\n"
    "    esac\n"
    "}\n"
    "compdef _payctl payctl\n";


int
pay_cli_completion(int argc, char **argv)
{
    int                       count;
    words_t                   words = { .count = 0 };
    const char               *shell = NULL, *text;
    char                      form[PAY_CLI_FORM];
    const pay_cli_page_t     *page;

    const pay_cli_option_t    options[] = { { NULL, NULL, NULL } };
    static const char *const  shells[] = { "bash", "zsh", NULL };

    count = pay_cli_args(argc, argv, options, &shell, 1);

    if (count < 0) {
        return pay_cli_say_usage(count, pay_cli_completion_usage);
    }

    if (shell == NULL
        || (strcmp(shell, "bash") != 0 && strcmp(shell, "zsh") != 0))
    {
        return pay_cli_no_verb("completion", pay_cli_completion_usage, shells,
                               shell);
    }

    words.words = calloc(WORDS_MAX, sizeof(word_t));
    if (words.words == NULL) {
        return PAY_CLI_USAGE;
    }

    add_form(&words, "help");
    add_options(&words, "", "[--all-cells] [--cell NAME] [--cells FILE]");
    add_word(&words, "", "--version", strlen("--version"));

    for (page = pay_cli_pages; page->name != NULL; page++) {
        for (text = page->usage; pay_cli_next_form(&text, form); ) {
            add_form(&words, form);
        }

        add_word(&words, "help", page->name, strcspn(page->name, " "));
    }

    qsort(words.words, words.count, sizeof(word_t), compare);

    if (strcmp(shell, "zsh") == 0) {
        puts("#compdef payctl");
    }

    print_words(&words);
    fputs(strcmp(shell, "bash") == 0 ? bash_script : zsh_script, stdout);
    free(words.words);

    return PAY_CLI_OK;
}


static void
add_form(words_t *words, const char *form)
{
    char    keys[KEYS_MAX][WORD_SIZE];
    size_t  i, at, count = 1;

    keys[0][0] = '\0';
    at = add_verbs(words, form, keys, &count);

    for (i = 0; i < count; i++) {
        add_options(words, keys[i], form + at);
        add_word(words, keys[i], "--help", strlen("--help"));
        add_word(words, keys[i], "--no-pager", strlen("--no-pager"));
    }
}


/* Verbs are lower-case words at the begin, several with "|" between them;
 * returns the place behind them, and the keys that they make. */
static size_t
add_verbs(words_t *words, const char *form, char keys[][WORD_SIZE],
    size_t *count)
{
    char    first[WORD_SIZE];
    size_t  at = 0, len, i;

    while (form[at] >= 'a' && form[at] <= 'z') {
        len = strcspn(form + at, " ");

        if (form[at + strspn(form + at, "abcdefghijklmnopqrstuvwxyz|-")]
            != form[at + len])
        {
            break;
        }

        memcpy(first, keys[0], sizeof(first));

        for (*count = 0; len > 0 && *count < KEYS_MAX; (*count)++) {
            i = strcspn(form + at, "| ");
            add_word(words, first, form + at, i);
            join(keys[*count], first, form + at, i);
            at += i;
            len -= i;

            if (form[at] == '|') {
                at++;
                len--;
            }
        }

        at += form[at] == ' ';
    }

    return at;
}


/* An option is followed by its value, if it has one, before its bracket
 * closes. */
static void
add_options(words_t *words, const char *key, const char *form)
{
    size_t  len;
    char    option[WORD_SIZE], value[WORD_SIZE];

    for ( /* void */ ; *form != '\0'; form += strcspn(form, " [|")) {
        form += strspn(form, " [|");

        if (*form != '-' || form[1] == ' ' || form[1] == '\0') {
            continue;
        }

        len = strcspn(form, " ]|");
        join(option, "", form, len);
        add_word(words, key, option, strlen(option));

        if (form[len] != ' ' || strchr("-[.|<>", form[len + 1]) != NULL) {
            form += len;
            continue;
        }

        form += len + 1;
        join(value, "", form, strcspn(form, " ]"));
        add_value(words, key, option, value);
    }
}


/* Lower-case words are themselves, and capitals name a kind of value. */
static void
add_value(words_t *words, const char *key, const char *option,
    const char *value)
{
    size_t  len;
    char    place[WORD_SIZE];

    join(place, key, option, strlen(option));

    if (strstr(value, "FILE") != NULL || strstr(value, "DIR") != NULL
        || strstr(value, "pem") != NULL || strstr(value, "PEM") != NULL)
    {
        add_word(words, place, FILE_WORD, strlen(FILE_WORD));
        return;
    }

    if (*value < 'a' || *value > 'z') {
        add_word(words, place, VALUE_WORD, strlen(VALUE_WORD));
        return;
    }

    for ( /* void */ ; *value != '\0'; value += len + (value[len] == '|')) {
        len = strcspn(value, "|");

        /* "NAME|none": the other one is free */
        if (*value >= 'a' && *value <= 'z') {
            add_word(words, place, value, len);
        }
    }
}


static void
add_word(words_t *words, const char *key, const char *word, size_t len)
{
    word_t  *place = &words->words[words->count];

    if (words->count == WORDS_MAX || len == 0) {
        return;
    }

    join(place->key, "", key, strlen(key));
    join(place->word, "", word, len);
    words->count++;
}


/* "a b", cut to the size of a word. */
static void
join(char text[WORD_SIZE], const char *a, const char *b, size_t len)
{
    size_t  i, n = strlen(a);

    memmove(text, a, n);

    if (n > 0 && n < WORD_SIZE - 1) {
        text[n++] = ' ';
    }

    for (i = 0; i < len && n < WORD_SIZE - 1; i++) {
        text[n++] = b[i];
    }

    text[n] = '\0';
}


static int
compare(const void *a, const void *b)
{
    int            order;
    const word_t  *first = a, *second = b;

    order = strcmp(first->key, second->key);

    return order != 0 ? order : strcmp(first->word, second->word);
}


/* A function that bash and zsh read alike. */
static void
print_words(const words_t *words)
{
    size_t         i;
    const word_t  *word, *before = NULL;

    puts("_payctl_words() {\n    case $1 in");

    for (i = 0; i < words->count; i++) {
        word = &words->words[i];

        if (before == NULL || strcmp(before->key, word->key) != 0) {
            printf("%s        \"%s\") echo \"%s", before != NULL
                   ? "\" ;;\n" : "", word->key, word->word);

        } else if (strcmp(before->word, word->word) != 0) {
            printf(" %s", word->word);
        }

        before = word;
    }

    puts("\" ;;\n    esac\n}");
}
