import { setTimeout as sleep } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { kubectl, kubectlJson } from './cluster.ts'

export interface Credential {
  readonly username: string
  readonly password: string
  readonly dbname: string
}

const resource = (namespace: string, name: string): string[] => [
  '-n',
  namespace,
  'secretrotation',
  name,
]

export const rotation = (namespace: string, name: string): Promise<SecretRotation> =>
  kubectlJson<SecretRotation>('get', ...resource(namespace, name))

/** What is published at this moment. */
export async function published(namespace: string, secret: string): Promise<Credential> {
  const { data } = await kubectlJson<{ data: Record<keyof Credential, string> }>(
    ...['get', 'secret', '-n', namespace, secret],
  )
  const text = (key: keyof Credential) => Buffer.from(data[key], 'base64').toString()
  return { username: text('username'), password: text('password'), dbname: text('dbname') }
}

/** Asks for a rotation now. Answers the wish, for who waits for it. */
export async function askToRotate(namespace: string, name: string): Promise<string> {
  const wish = randomUUID()
  const annotation = `palisade.dev/rotate-now=${wish}`
  await kubectl('annotate', '--overwrite', ...resource(namespace, name), annotation)
  return wish
}

/** Waits until the credential before that rotation is retired. Answers the new version. */
export const untilRotated = (
  namespace: string,
  name: string,
  wish: string,
  within: number,
): Promise<number> =>
  untilIdle(namespace, name, within, ({ lastHandledRotateNow }) => lastHandledRotateNow === wish)

/** Waits until nothing of a rotation is left to do. */
export async function untilIdle(
  namespace: string,
  name: string,
  within: number,
  also: (status: NonNullable<SecretRotation['status']>) => boolean = () => true,
): Promise<number> {
  const deadline = Date.now() + within
  for (;;) {
    const { status } = await rotation(namespace, name)
    if (status?.step === 'Idle' && (status.version ?? 0) > 0 && also(status)) {
      return status.version ?? 0
    }
    if (Date.now() > deadline) {
      throw new Error(`${namespace}/${name} did not finish: ${JSON.stringify(status)}`)
    }
    await sleep(1_000)
  }
}

/** The same with a short overlap: the usual one outlasts a test by far. It is put back afterwards. */
export async function rotateQuickly(
  namespace: string,
  name: string,
  within: number,
): Promise<number> {
  const usual = (await rotation(namespace, name)).spec.overlap ?? {}
  const overlap = (value: object) =>
    kubectl(
      ...['patch', ...resource(namespace, name), '--type=merge'],
      ...['-p', JSON.stringify({ spec: { overlap: value } })],
    )
  await overlap({ min: '5s', quiet: '5s' })
  try {
    return await untilRotated(namespace, name, await askToRotate(namespace, name), within)
  } finally {
    await overlap(usual)
  }
}
