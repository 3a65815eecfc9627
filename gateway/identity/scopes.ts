import type { Role } from './roles.ts'

export const SCOPES = ['secrets:read', 'secrets:write', 'audit:read', 'audit:read-all'] as const
export type Scope = (typeof SCOPES)[number]

/** A role that is not listed for a scope does not have it. */
const SCOPES_OF_ROLE: Readonly<Record<Role, readonly Scope[]>> = {
  // Who administers does not look into other tenants' logs, and who looks there changes nothing.
  admin: ['secrets:read', 'secrets:write', 'audit:read'],
  user: ['secrets:read', 'secrets:write', 'audit:read'],
  guest: ['secrets:read'],
  auditor: ['audit:read', 'audit:read-all'],
}

export const hasScope = (roles: readonly Role[], scope: Scope) =>
  roles.some((role) => SCOPES_OF_ROLE[role].includes(scope))
