-- Screening: words of lists that are one letter away from a holder's.  Each word
-- has keys, digests of itself and of itself with one letter left out: two words
-- that are one edit apart share one.  The functions are those of
-- 96_screening.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The words of the lists that were imported since; none is taken away again.
CREATE TABLE sanction_word (
    -- as in sanction_name.words
    word  bytea PRIMARY KEY,
    -- its keys
    near  bytea[] NOT NULL CHECK (near <> '{}')
);
-- An import writes many rows at once, and each comparison would read all that
-- wait for autovacuum to be sorted in.
CREATE INDEX sanction_word_near ON sanction_word USING gin (near)
    WITH (fastupdate = off);
ALTER INDEX sanction_name_words SET (fastupdate = off);

-- The keys of each word of name_words, joined; NULL: the account was entered
-- before.
ALTER TABLE payout_destination ADD name_near bytea[];

RESET ROLE;
