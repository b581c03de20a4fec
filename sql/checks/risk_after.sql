-- A decision after the PSP is about a word that was judged and has its effect
-- once: a hold has its review, and while that is open the orders are held or
-- an operator has ended the hold; a void has its review, rejected or a reviewer's,
-- and the money of a rejected one is back, or a change has been asked for, once
-- a round of the sweep could ask.
SELECT a.merchant_id, a.checkout_id, a.after_id, a.decision, a.effect, r.state
FROM pay.risk_after a
LEFT JOIN pay.risk_review r ON r.merchant_id = a.merchant_id
    AND r.checkout_id = a.checkout_id
WHERE NOT EXISTS (
        SELECT FROM pay.risk_card c
        WHERE c.psp = a.psp AND c.attempt = a.attempt AND c.judged <> 0
            AND c.merchant_id = a.merchant_id
            AND c.checkout_id = a.checkout_id)
    OR CASE a.effect
        WHEN 'none' THEN a.decision IN ('review', 'block') AND NOT EXISTS (
            SELECT FROM pay.risk_after x
            WHERE x.merchant_id = a.merchant_id
                AND x.checkout_id = a.checkout_id AND x.effect <> 'none')
        WHEN 'hold' THEN a.decision NOT IN ('review', 'block')
            OR r.review_id IS NULL
            OR r.state IN ('open', 'escalated') AND EXISTS (
                SELECT FROM pay.payment_order o
                WHERE o.merchant_id = a.merchant_id
                    AND o.checkout_id = a.checkout_id
                    AND NOT EXISTS (
                        SELECT FROM pay.payout_hold h
                        WHERE h.merchant_id = o.merchant_id
                            AND h.payment_order_id = o.payment_order_id)
                    AND NOT EXISTS (
                        SELECT FROM pay.payout_act x
                        WHERE x.merchant_id = o.merchant_id
                            AND x.subject = 'order' AND x.act = 'unheld'
                            AND x.subject_id = o.payment_order_id))
        WHEN 'void' THEN a.decision <> 'block' OR r.review_id IS NULL
            OR r.state <> 'rejected' AND NOT EXISTS (
                SELECT FROM pay.risk_review_act x
                WHERE x.review_id = r.review_id AND x.who <> 'gateway')
            -- the next round is due a day later at most
            OR r.state = 'rejected' AND (r.is_settled OR EXISTS (
                SELECT FROM pay.round n
                WHERE n.name = 'sweep'
                    AND n.run_at - interval '25 hours' > a.at))
            AND EXISTS (
                SELECT FROM pay.payment_order o
                WHERE o.merchant_id = a.merchant_id
                    AND o.checkout_id = a.checkout_id
                    AND (o.authorized_minor > 0 OR o.captured_minor
                        > o.refunding_minor + o.refunded_minor
                        + o.charged_back_minor))
            AND NOT EXISTS (
                SELECT FROM pay.change x
                WHERE x.merchant_id = a.merchant_id
                    AND x.checkout_id = a.checkout_id
                    AND x.request_id = 'risk-review-' || r.review_id)
        END;
