-- Asked by the exporter at each scrape. By the socket nobody comes from outside; by loopback comes a tunnel.
select count(*) as connections
  from pg_catalog.pg_stat_activity
 where client_addr is not null
   and not client_addr <<= any (string_to_array('{pods}', ',')::inet[])
