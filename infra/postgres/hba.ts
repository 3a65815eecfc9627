/** Roles that log in with a certificate of the private CA; no password exists for them. */
export const CERTIFICATE_ROLES = ['palisade_migrator', 'palisade_operator'] as const

/**
 * Read top down, the first line that fits decides; CloudNativePG puts its own local and replication lines
 * before these. The owner of the database gets a generated password at initialisation, which must open
 * nothing, so it is turned away before any line that knows passwords.
 */
export const hostRules = (): readonly string[] => [
  'host all palisade_owner all reject',
  ...CERTIFICATE_ROLES.flatMap((role) => [
    `hostssl all ${role} all cert`,
    `host all ${role} all reject`,
  ]),
  'hostssl all all all scram-sha-256',
  'host all all all reject',
]
