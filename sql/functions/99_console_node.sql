-- The page of the PSPs: figures of the database, and beside them those of the
-- node that answers, which the gateway hands on with the query.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The node's figures are those of PSPs that the rows show, too.
CREATE OR REPLACE FUNCTION pay.console_psp_page(
    p_scope text[], p_query jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_items jsonb := console_psps(p_scope);
BEGIN
    RETURN jsonb_build_object('items', v_items, 'node', (
        SELECT coalesce(jsonb_agg(n.psp ORDER BY n.psp ->> 'psp'), '[]')
        FROM jsonb_array_elements((p_query ->> 'node')::jsonb) AS n (psp)
        WHERE EXISTS (SELECT FROM jsonb_array_elements(v_items) i
                      WHERE i ->> 'psp' = n.psp ->> 'psp')));
END
$$;
COMMENT ON FUNCTION pay.console_psp_page IS
    'A row for each PSP, and how it does as the node that answers has seen it';
