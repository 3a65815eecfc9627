/** Roles of people; what a role may do is said by each route's `access`. */
export const ROLES = ['user', 'admin', 'guest', 'auditor'] as const
export type Role = (typeof ROLES)[number]

export const isRole = (value: unknown): value is Role =>
  typeof value === 'string' && (ROLES as readonly string[]).includes(value)
