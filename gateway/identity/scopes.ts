import type { Role } from './roles.ts'

export const SCOPES = ['secrets:read', 'secrets:write'] as const
export type Scope = (typeof SCOPES)[number]

/** A role that is not listed for a scope does not have it. */
const SCOPES_OF_ROLE: Readonly<Record<Role, readonly Scope[]>> = {
  admin: ['secrets:read', 'secrets:write'],
  user: ['secrets:read', 'secrets:write'],
  guest: ['secrets:read'],
}

export const hasScope = (roles: readonly Role[], scope: Scope) =>
  roles.some((role) => SCOPES_OF_ROLE[role].includes(scope))
