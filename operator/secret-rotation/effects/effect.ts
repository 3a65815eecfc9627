import type { Failpoint } from '../../ports.ts'

/** Every act that something outside this process can see. */
export const EFFECTS = [
  'recordState',
  'claimPath',
  'adoptRoles',
  'resyncFence',
  'setVerifier',
  'testLogin',
  'publishValue',
  'applySecret',
  'restartConsumer',
  'disableLogin',
  'terminateSessions',
  'enableLogin',
  'destroyVerifier',
  'destroyValue',
  'releasePath',
  'releaseRoles',
] as const
export type Effect = (typeof EFFECTS)[number]

/** The only door to the outside: a test can stop or kill the process on either side of it. */
export async function effect<T>(
  deps: { readonly failpoint: Failpoint },
  name: Effect,
  act: () => Promise<T>,
): Promise<T> {
  await deps.failpoint(`${name}.before`)
  const answer = await act()
  await deps.failpoint(`${name}.after`)
  return answer
}
