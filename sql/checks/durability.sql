-- Everything that was answered must survive a crash (I3, I6): this finds a
-- setting that gives this up for the server, or for a role or database.
SELECT 'server' AS scope, s.name || '=' || s.setting AS setting
FROM pg_catalog.pg_settings s
WHERE s.name IN ('fsync', 'full_page_writes', 'synchronous_commit')
    AND s.setting = 'off'
UNION ALL
SELECT concat_ws(' ', coalesce(r.rolname, 'every role'), d.datname), c.line
FROM pg_catalog.pg_db_role_setting g
LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.setrole
LEFT JOIN pg_catalog.pg_database d ON d.oid = g.setdatabase,
    unnest(g.setconfig) AS c (line)
WHERE c.line ~ '^synchronous_commit=(off|false|no|0)$'
    AND g.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database
                              WHERE datname = current_database()));
