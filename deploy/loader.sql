-- What taxietl needs of a PostgreSQL database, and no more. As its owner or a superuser:
--   psql -d ny_taxi -v ON_ERROR_STOP=1 -v password_file=- -f deploy/loader.sql < FILE
-- `loader` may load months and take them out again; `taxi_reader` may read what was loaded.
\if :{?password_file}
\else
  \set password_file /run/secrets/loader-password
\endif
\set password `cat -- :'password_file'`

CREATE ROLE loader LOGIN PASSWORD :'password';
CREATE ROLE taxi_reader;

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO loader, taxi_reader;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO loader;
GRANT USAGE ON SCHEMA public TO taxi_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE loader IN SCHEMA public GRANT SELECT ON TABLES TO taxi_reader;
-- The months' partitions. Made here, or `loader` would need CREATE on the database.
CREATE SCHEMA taxietl_parts;
GRANT USAGE, CREATE ON SCHEMA taxietl_parts TO loader;
