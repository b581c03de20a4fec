-- Copies of one paid checkout, as many as the psql variable count says, from
-- number first on: what a shop has stored after years.  Straight into the
-- tables (the psql variable tables names them), whose triggers are off: nothing
-- of it is measured.  Each checkout is older by so many seconds (the psql
-- variable spread) than the one before it.
-- The template's ids all hold its name, and a copy has another name there: in
-- JSON, too, or a second call would take the copies of the first for templates.
CREATE FUNCTION pg_temp.copied(p_table regclass, p_name text,
    p_spread text) RETURNS text
LANGUAGE sql AS $$
SELECT format('INSERT INTO %s (%s) SELECT %s FROM %s t'
              ' CROSS JOIN generate_series($1, $2) i WHERE strpos(t::text, %L) > 0',
    p_table,
    string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
    string_agg(CASE
        WHEN a.attname = 'created_at' AND p_table = 'pay.checkout'::regclass
            THEN format('t.created_at - i * interval %L', p_spread || ' s')
        WHEN a.attname = 'handle' THEN 'md5(''h'' || i)'
        WHEN a.attname = 'wallet_seq' THEN 'i * 10 + t.wallet_seq + 1000000'
        WHEN b.typname = 'uuid' THEN format('md5(%L || i)::uuid', a.attname)
        WHEN b.typname = 'text' THEN
            format('replace(t.%I, %L, ''g'' || i)', a.attname, p_name)
        WHEN b.typname = 'jsonb' THEN
            format('replace(t.%I::text, %L, ''g'' || i)::jsonb',
                a.attname, p_name)
        ELSE format('t.%I', a.attname) END, ', ' ORDER BY a.attnum),
    p_table, p_name)
FROM pg_attribute a
JOIN pg_type y ON y.oid = a.atttypid
JOIN pg_type b ON b.oid = coalesce(nullif(y.typbasetype, 0), y.oid)
WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attidentity = '' AND a.attgenerated = ''
$$;

CREATE FUNCTION pg_temp.grow(
    p_tables text[], p_name text, p_first int, p_last int, p_spread text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY p_tables LOOP
        EXECUTE pg_temp.copied(format('pay.%I', v_table), p_name, p_spread)
            USING p_first, p_last;
    END LOOP;
END
$$;

SELECT pg_temp.grow(string_to_array(:'tables', ' '), :'template', :first,
                    :first + :count - 1, :'spread');
