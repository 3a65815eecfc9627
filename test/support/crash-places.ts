import type { Effect } from '../../operator/secret-rotation/effects/effect.ts'

/** The effects of an ordinary rotation with a consumer, besides the record of each step. */
export const IN_A_ROTATION = [
  'setVerifier',
  'testLogin',
  'publishValue',
  'applySecret',
  'restartConsumer',
  'disableLogin',
  'terminateSessions',
  'destroyVerifier',
  'destroyValue',
] as const satisfies readonly Effect[]

/** The others, which a claim, an adoption, a fall or a release has. */
export const ELSEWHERE = [
  'claimPath',
  'adoptRoles',
  'enableLogin',
  'releasePath',
  'releaseRoles',
] as const satisfies readonly Effect[]

/** What a person asks for after a restore has. */
export const AFTER_A_RESTORE = ['resyncFence'] as const satisfies readonly Effect[]

export const SIDES = ['before', 'after'] as const

/** Begin, verifier, test, publication, Secret, restart, quiet, disable, ... : each record is a place to die. */
export const RECORDS = Array.from({ length: 14 }, (_, i) => i + 1)

const around = (effect: Effect): readonly string[] => SIDES.map((side) => `${effect}.${side}`)
const RECORD = 'recordState.after'

/**
 * The same rotation as the way that it takes: both sides of each effect, in order, and the records between them. Who
 * dies right behind a record leaves what the next one leaves who dies before his effect, so those are left out.
 */
export const ALONG_THE_WAY: readonly string[] = [
  'recordState.before',
  ...around('setVerifier'),
  ...around('testLogin'),
  ...around('publishValue'),
  // The Secret is there, and not yet that the consumer is told to restart.
  ...[...around('applySecret'), RECORD],
  // It runs with the new login, and not yet that nobody has a session with the old one.
  ...[...around('restartConsumer'), RECORD],
  ...around('disableLogin'),
  // And not yet that the watch is over.
  ...[...around('terminateSessions'), RECORD],
  ...around('destroyVerifier'),
  ...around('destroyValue'),
  // The Secret loses what it had of the previous value.
  ...[...around('applySecret'), RECORD],
]

const BEFORE_ALL = 'recordState.before:kill'
const AFTER_ALL = `recordState.after:kill@${RECORDS.length}`

/** Every place of an ordinary rotation at which a process can die. */
export const PLACES: readonly string[] = [
  ...IN_A_ROTATION.flatMap((effect) => SIDES.map((side) => `${effect}.${side}:kill`)),
  BEFORE_ALL,
  ...RECORDS.map((passage) => `recordState.after:kill@${passage}`),
]

/** Whether who dies at this place leaves a rotation behind that has begun and has not ended. */
export const diesInFlight = (place: string): boolean => place !== BEFORE_ALL && place !== AFTER_ALL
