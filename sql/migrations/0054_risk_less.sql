-- A look at the risk costs PostgreSQL less: values of lists are found by a hash, a
-- decision says itself whether an address is among its keys, and functions have
-- other arguments.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A row has it since this version; of an older one the index looks.
ALTER TABLE risk_decision ADD has_address boolean;
COMMENT ON COLUMN risk_decision.has_address IS
    'Whether a single address is among the keys; NULL: written before 0054';
DROP INDEX risk_decision_address;
CREATE INDEX risk_decision_address ON risk_decision (at)
    WHERE has_address OR has_address IS NULL AND keys
        @? 'strict $[*] ? (@[0] == "ip" && @[1] like_regex "/(32|64|128)$")';

-- Nearly no value of a checkout is listed: a page of a hash says so, where a tree
-- takes three.  It is of an expression, so that no plan takes it for
-- a look-up that has the merchant, too: many merchants may list one value.
CREATE INDEX risk_list_value ON risk_list USING hash ((value::text || ''));

DROP FUNCTION IF EXISTS risk_ok(jsonb);
DROP FUNCTION IF EXISTS count_attempts(int[], text[], text[], bigint[], risk_rows);
DROP FUNCTION IF EXISTS count_findings(int[], text[], risk_rows);
DROP FUNCTION IF EXISTS sum_findings(int[], text[], text[], bigint[], risk_rows);
DROP FUNCTION IF EXISTS insert_decisions(int[], text[], text[], jsonb[], text[], text[],
    jsonb[], risk_rows);
DROP FUNCTION IF EXISTS keep_decisions(int[], text[], text[], text[], bigint[], jsonb[],
    risk_rows);
DROP FUNCTION IF EXISTS look_at_risk(int[], int[], text[], text[], text[], text[],
    bigint[], bigint[], text[], jsonb[], jsonb[], risk_rows);

RESET ROLE;
