/** Forward secrecy and authenticated encryption alone; TLS 1.3 brings its own suites. */
const CIPHERS = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
] as const

export const tlsLines = (directory: string): readonly string[] => [
  `ssl_certificate ${directory}/tls.crt;`,
  `ssl_certificate_key ${directory}/tls.key;`,
  'ssl_protocols TLSv1.2 TLSv1.3;',
  `ssl_ciphers ${CIPHERS.join(':')};`,
  'ssl_prefer_server_ciphers on;',
  'ssl_ecdh_curve X25519:prime256v1:secp384r1;',
  'ssl_session_cache shared:tls:5m;',
  'ssl_session_timeout 1h;',
  // Tickets are sealed with a key that nginx never changes, which would undo forward secrecy.
  'ssl_session_tickets off;',
]
