import { readFileSync } from 'node:fs'
import { namespaceAccess } from '#core/namespace-access'

export const PLATFORM_POLICIES = [
  'palisade-operator',
  'palisade-gateway',
  'palisade-sealer',
  'palisade-onboarder',
] as const
export type PlatformPolicy = (typeof PLATFORM_POLICIES)[number] | typeof DATABASE_POLICY

/** Only where the database is somebody else's. */
export const DATABASE_POLICY = 'palisade-database'

const DIRECTORY = new URL('../../policies/vault/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(`${name}.hcl`, DIRECTORY), 'utf8')

export const platformPolicy = (name: PlatformPolicy): string => read(name)

/** What the operator may do for the rotations of one namespace, and nowhere else. */
export const accessTo = (namespace: string) =>
  namespaceAccess(namespace, read('palisade-namespace'))
