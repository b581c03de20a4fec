-- A refund that had failed and was done after all takes the seller's share that
-- is left by then: it may be the last part of the order.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

DROP TRIGGER change_fixed ON change;
CREATE TRIGGER change_fixed
    BEFORE UPDATE OF merchant_id, change_id, checkout_id, payment_order_id,
        kind, origin, psp, amount_minor, currency, seller_minor,
        seller_currency, is_final, reason
    ON change FOR EACH ROW
    WHEN ((NEW.merchant_id, NEW.change_id, NEW.checkout_id,
           NEW.payment_order_id, NEW.kind, NEW.origin, NEW.amount_minor,
           NEW.currency, NEW.seller_currency, NEW.is_final, NEW.reason)
          IS DISTINCT FROM
          (OLD.merchant_id, OLD.change_id, OLD.checkout_id,
           OLD.payment_order_id, OLD.kind, OLD.origin, OLD.amount_minor,
           OLD.currency, OLD.seller_currency, OLD.is_final, OLD.reason)
          OR NEW.seller_minor IS DISTINCT FROM OLD.seller_minor
             AND (OLD.kind <> 'refund' OR OLD.status <> 'FAILED'
                  OR NEW.status <> 'SUCCESS')
          OR NEW.psp <> OLD.psp
             AND (OLD.kind <> 'cancel' OR OLD.status <> 'NOT_STARTED'))
    EXECUTE FUNCTION refuse_change('a change''s terms are fixed', 'PAY11');
ALTER TABLE change ENABLE ALWAYS TRIGGER change_fixed;

RESET ROLE;
