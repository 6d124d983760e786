-- How PostgreSQL is set, for this session. Reads only.

-- name: settings
-- Each of these settings as it is in force; NULL: this PostgreSQL does not know it.
SELECT asked.name, current_setting(asked.name, true) AS value
  FROM unnest($1::text[]) AS asked(name)
