import type { StackConfig } from '../config/schema.ts'
import { hideUpstreamHeaders } from './headers.ts'

export type NginxVersion = StackConfig['edge']['nginxVersion']

export interface Upstream {
  readonly host: string
  readonly port: number
  /** Name in the gateway's certificate. */
  readonly serverName: string
  readonly tlsDirectory: string
  /** Name server of the cluster. */
  readonly resolver?: string
}

/**
 * From 1.27.3 on nginx asks for the address again when its time is over; before, it asks once, when it
 * starts, so the name must be that of a Service whose address stays.
 */
export const upstreamBlock = (
  { host, port, resolver }: Upstream,
  version: NginxVersion,
): readonly string[] => [
  'upstream gateway {',
  ...(version === '1.31' && resolver !== undefined
    ? [
        '  zone gateway 64k;',
        `  resolver ${resolver} valid=10s;`,
        `  server ${host}:${port} resolve max_fails=3 fail_timeout=5s;`,
      ]
    : [`  server ${host}:${port} max_fails=3 fail_timeout=5s;`]),
  '  keepalive 64;',
  '  keepalive_timeout 30s;',
  '}',
]

/** The gateway is believed only with a certificate of the private CA and with its own name. */
export const proxyLines = ({ serverName, tlsDirectory }: Upstream): readonly string[] => [
  'proxy_http_version 1.1;',
  'proxy_ssl_protocols TLSv1.3;',
  'proxy_ssl_verify on;',
  'proxy_ssl_verify_depth 2;',
  `proxy_ssl_trusted_certificate ${tlsDirectory}/ca.crt;`,
  `proxy_ssl_name ${serverName};`,
  'proxy_ssl_server_name on;',
  'proxy_ssl_session_reuse on;',
  'proxy_connect_timeout 3s;',
  'proxy_send_timeout 15s;',
  'proxy_read_timeout 30s;',
  // A request that may have been carried out is not sent a second time.
  'proxy_next_upstream error timeout;',
  'proxy_next_upstream_tries 2;',
  'proxy_set_header Host $host;',
  'proxy_set_header Connection "";',
  'proxy_set_header X-Request-Id $request_id;',
  // Replaced, never appended to: what a client wrote there is worth nothing.
  'proxy_set_header X-Forwarded-For $remote_addr;',
  'proxy_set_header X-Forwarded-Proto $scheme;',
  'proxy_set_header X-Forwarded-Host $host;',
  'proxy_set_header Forwarded "";',
  'proxy_set_header X-Real-IP "";',
  ...hideUpstreamHeaders(),
]
