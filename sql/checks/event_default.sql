-- Each month of the log has its partition, made ahead by the sweep; nothing
-- is left where an event goes that finds none (pay.make_partitions()).
SELECT 'event_default' AS partition, count(*) AS events, min(d.at) AS since
FROM pay.event_default d
HAVING count(*) > 0
UNION ALL
SELECT m.name, 0, NULL
FROM (SELECT 'event_' || to_char(date_trunc('month', now() AT TIME ZONE 'UTC')
          + make_interval(months => n), 'YYYY_MM') AS name
      FROM generate_series(0, 1) n) m
WHERE to_regclass('pay.' || m.name) IS NULL;
