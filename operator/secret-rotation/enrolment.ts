import type { FenceStanding } from '../ports.ts'
import type { Claimant } from './claimant.ts'
import type { Refusal } from './eligibility.ts'
import type { ClaimOwner, StateRecord } from './state.ts'

type Pair = Pick<StateRecord['claim'], 'roles' | 'memberOf' | 'database'>

/** Nothing enrols the users of a team by itself: a person calls this, where the migrator's login is. */
export const enrolCommand = ({ roles, memberOf, database }: Pair, namespace: string): string =>
  `palisade enrol ${roles.join(' ')} ${memberOf} ${database} ${namespace}`

/** Where that login is used, and for whom such a call is of no use. */
export const ENROL_JOB =
  'with the login of palisade_migrator, as the Job in examples/rotate-postgres-password/platform/2-open.yaml does'

/** The pair as the fence knows it, or what a person has to do first. */
export async function enrolledPair(
  { source, database, address, backend }: Claimant,
  { namespace }: ClaimOwner,
): Promise<FenceStanding | Refusal> {
  const [first, second] = source.roles
  const standing = await database.standing(first)
  if (standing?.seqs[second] !== undefined) return standing
  if (standing) return enrolledOtherwise(first, second, standing)
  const others = await database.standing(second)
  if (others) return enrolledOtherwise(second, first, others)
  const command = enrolCommand({ ...source, database: address.database }, namespace)
  return {
    reason: 'NotEnrolled',
    message: `roles ${first} and ${second} are not enrolled as a pair at RotationBackend "${backend.metadata.name}"; the platform team runs there: ${command} (${ENROL_JOB})`,
  }
}

/** To enrol it once more would be refused: a role stays in the pair that it is in. */
function enrolledOtherwise(role: string, wanted: string, { seqs }: FenceStanding): Refusal {
  const partner = Object.keys(seqs).find((name) => name !== role) ?? ''
  return {
    reason: 'NotEnrolled',
    message: `role ${role} is enrolled as a pair with ${partner}, not with ${wanted}; spec.source cannot be changed: delete this resource and make one that names both users of a pair`,
  }
}
