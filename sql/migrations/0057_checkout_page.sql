-- Words of a storefront for the buyer's page of a checkout: the language, and a
-- description of each order.  Most checkouts have neither.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


ALTER TABLE checkout
    ADD COLUMN page jsonb CHECK (octet_length(page::text) <= 16384);
COMMENT ON COLUMN checkout.page IS
    'For the buyer''s page: {"locale", "descriptions" of the orders}, or NULL';

-- Its rows are those of another shape now.
DROP FUNCTION IF EXISTS pay_api.get_handle(text[]);
DROP FUNCTION IF EXISTS pay_api.see_browser(text[], text[], text[], bigint[],
                                            text[], text[], text[]);
