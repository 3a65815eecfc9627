import { PORTS } from '../names.ts'

const TLS = '/etc/palisade/tls'

/** TLS alone, certificates not asked of clients: they are told apart by their ACL user. */
export const redisConfig = (): string =>
  [
    'port 0',
    `tls-port ${PORTS.redis}`,
    `tls-cert-file ${TLS}/tls.crt`,
    `tls-key-file ${TLS}/tls.key`,
    `tls-ca-cert-file ${TLS}/ca.crt`,
    'tls-auth-clients no',
    'tls-replication yes',
    'tls-protocols "TLSv1.3"',
    'dir /data',
    'aclfile /data/users.acl',
    // Limits and revocations survive a restart; a second of them may be lost.
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory 128mb',
    'maxmemory-policy noeviction',
    'timeout 0',
    'tcp-keepalive 60',
    'loglevel notice',
    'logfile ""',
    '',
  ].join('\n')
