/*
 * Command lines of payctl's database subcommands: options with or without a
 * value ("--name value" or "--name=value"), in any order, and words.  Private
 * to src/cli.
 */

#ifndef PAY_SRC_CLI_ARGS_H
#define PAY_SRC_CLI_ARGS_H


#define PAY_CLI_HELP     (-2)
#define PAY_CLI_MISUSE   (-1)

typedef struct {
    const char   *name;        /* with its dashes; NULL ends the table */
    const char  **value;       /* of an option with a value, else NULL */
    int          *flag;        /* set to 1 by an option without one */
} pay_cli_option_t;


/* Reads argv[1] … into the options and up to `max` words; the number of words,
 * PAY_CLI_HELP when --help or -h is among them, or PAY_CLI_MISUSE after a
 * complaint on stderr.  What it sets is borrowed from argv; what is not named
 * stays as it was. */
int pay_cli_args(int argc, char **argv, const pay_cli_option_t *options,
    const char **words, int max);

/* For the result of pay_cli_args(): the usage with its examples on stdout, or
 * its first lines on stderr; returns the exit code. */
int pay_cli_say_usage(int result, const char *usage);


/* A command whose first word is the name of another command. */
typedef struct {
    const char  *name;         /* NULL ends the table */
    int        (*run)(int argc, char **argv);
} pay_cli_subcommand_t;

/* Runs the one that argv[1] names and returns its exit code; without it prints
 * the usage: to stdout when it was asked for, else behind a complaint. */
int pay_cli_hand_over(const char *command, const char *usage,
    const pay_cli_subcommand_t *subcommands, int argc, char **argv);

/* Says on stderr, printf-like, what is wrong with a call, then its usage;
 * returns PAY_CLI_USAGE. */
int pay_cli_misuse(const char *usage, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says on stderr that the command has no such verb, with the verbs that it has,
 * then its usage; returns PAY_CLI_USAGE.  word NULL: none was given. */
int pay_cli_no_verb(const char *command, const char *usage,
    const char *const *verbs, const char *word);

/* How many bytes must be changed, added or left out to make one of the other
 * (Levenshtein); PAY_CLI_FAR when it is more than a typing mistake. */
#define PAY_CLI_FAR  3
unsigned pay_cli_distance(const char *a, const char *b);


#endif /* PAY_SRC_CLI_ARGS_H */
