import { headerLines, type XssFilter } from './headers.ts'
import { errorPages, problemLocations } from './problems.ts'
import { type EdgeRoute, LIMITS, ROUTES } from './routes.ts'
import { tlsLines } from './tls.ts'
import { type NginxVersion, proxyLines, type Upstream, upstreamBlock } from './upstream.ts'

export interface EdgeWish {
  readonly nginxVersion: NginxVersion
  readonly hosts: readonly string[]
  readonly publicPort: number
  readonly proxyProtocol: boolean
  readonly trustedProxies: readonly string[]
  readonly xssFilter: XssFilter
  readonly ports: { readonly plain: number; readonly tls: number; readonly health: number }
  readonly upstream: Upstream
  readonly routes?: readonly EdgeRoute[]
}

const indent = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`)
const block = (head: string, lines: readonly string[]): readonly string[] => [
  `${head} {`,
  ...indent(lines),
  '}',
]

/** The whole nginx.conf, from values alone: same wish, same text. */
export const renderEdge = (wish: EdgeWish): string =>
  [
    'worker_processes auto;',
    'worker_shutdown_timeout 30s;',
    'pid /tmp/nginx.pid;',
    // At info the log repeats what clients sent.
    'error_log stderr warn;',
    ...block('events', ['worker_connections 4096;']),
    ...block('http', [
      ...basics(),
      ...clientAddress(wish),
      ...zones(),
      ...hostMap(wish),
      ...upstreamBlock(wish.upstream, wish.nginxVersion),
      ...block('server', plainServer(wish)),
      ...block('server', tlsServer(wish)),
      ...block('server', healthServer(wish)),
    ]),
    '',
  ].join('\n')

const basics = (): readonly string[] => [
  'server_tokens off;',
  'default_type application/octet-stream;',
  // No query string and no header: they may carry what should not be kept.
  `log_format edge escape=json '{"time":"$time_iso8601","request_id":"$request_id","client":"$remote_addr","method":"$request_method","path":"$uri","status":$status,"bytes":$body_bytes_sent,"seconds":$request_time,"upstream_status":"$upstream_status","upstream_seconds":"$upstream_response_time","tls":"$ssl_protocol","protocol":"$server_protocol"}';`,
  'access_log /dev/stdout edge;',
  ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path /tmp/${kind};`,
  ),
  // Whoever is slow on purpose holds a connection for seconds, not for minutes.
  'client_header_timeout 10s;',
  'client_body_timeout 10s;',
  'send_timeout 10s;',
  'keepalive_timeout 30s;',
  'keepalive_requests 1000;',
  'reset_timedout_connection on;',
  'client_header_buffer_size 1k;',
  'large_client_header_buffers 4 8k;',
  'client_max_body_size 16k;',
  'client_body_buffer_size 64k;',
  'underscores_in_headers off;',
  'gzip off;',
]

/** The true address comes from the balancer in front or from nobody. */
const clientAddress = ({ proxyProtocol, trustedProxies }: EdgeWish): readonly string[] =>
  trustedProxies.length === 0
    ? []
    : [
        ...trustedProxies.map((cidr) => `set_real_ip_from ${cidr};`),
        `real_ip_header ${proxyProtocol ? 'proxy_protocol' : 'X-Forwarded-For'};`,
        'real_ip_recursive on;',
      ]

const zones = (): readonly string[] => [
  ...Object.entries(LIMITS).map(
    ([name, { rate }]) => `limit_req_zone $binary_remote_addr zone=${name}:10m rate=${rate};`,
  ),
  'limit_conn_zone $binary_remote_addr zone=connections:10m;',
  'limit_req_status 429;',
  'limit_conn_status 429;',
  // A refusal is counted in the access log; the error log would repeat the request line.
  'limit_req_log_level info;',
  'limit_conn_log_level info;',
]

/** A redirect goes to a host of ours or nowhere: the client's Host header is not repeated. */
const hostMap = ({ hosts, publicPort }: EdgeWish): readonly string[] =>
  block('map $host $public_host', [
    'default "";',
    ...hosts.map((host) => `${host} "${publicPort === 443 ? host : `${host}:${publicPort}`}";`),
  ])

const listen = (port: number, { proxyProtocol }: EdgeWish, ...more: readonly string[]): string =>
  ['listen', String(port), 'default_server', ...more, ...(proxyProtocol ? ['proxy_protocol'] : [])]
    .join(' ')
    .concat(';')

const unknownHost = (): readonly string[] => ['if ($public_host = "") { return 421; }']

const plainServer = (wish: EdgeWish): readonly string[] => [
  listen(wish.ports.plain, wish),
  `server_name ${wish.hosts.join(' ')};`,
  ...headerLines(wish.xssFilter),
  ...errorPages(),
  ...block('location /', [...unknownHost(), 'return 301 https://$public_host$request_uri;']),
  ...problemLocations(wish.xssFilter),
]

const tlsServer = (wish: EdgeWish): readonly string[] => [
  listen(wish.ports.tls, wish, 'ssl'),
  'http2 on;',
  `server_name ${wish.hosts.join(' ')};`,
  ...tlsLines(wish.upstream.tlsDirectory),
  ...headerLines(wish.xssFilter),
  ...errorPages(),
  'limit_conn connections 100;',
  ...proxyLines(wish.upstream),
  ...(wish.routes ?? ROUTES).flatMap(routeLocation),
  ...block('location /', [...unknownHost(), 'return 404;']),
  ...problemLocations(wish.xssFilter),
]

const routeLocation = (route: EdgeRoute): readonly string[] => {
  const { burst } = LIMITS[route.limit]
  return block(`location ${route.match === 'exact' ? '= ' : ''}${route.path}`, [
    ...unknownHost(),
    `if ($request_method !~ ^(${route.methods.join('|')})$) { return 405; }`,
    `limit_req zone=${route.limit} burst=${burst} nodelay;`,
    `client_max_body_size ${route.maxBody};`,
    ...(route.limit === 'streaming'
      ? ['proxy_buffering off;', 'proxy_read_timeout 1h;', 'proxy_request_buffering off;']
      : []),
    'proxy_pass https://gateway;',
  ])
}

/** For the kubelet: no TLS, no PROXY protocol, and nothing behind it. */
const healthServer = ({ ports }: EdgeWish): readonly string[] => [
  `listen ${ports.health};`,
  'access_log off;',
  ...block('location = /healthz', ['return 204;']),
  ...block('location /', ['return 404;']),
]
