import { setTimeout as sleep } from 'node:timers/promises'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type { StateRecord } from '../../operator/secret-rotation/state.ts'
import { once } from './postgres.ts'
import { ROTATIONS, type RotationWorld } from './rotation-world.ts'

/** What a test can see of one rotation, from the outside. */
export class RotationView {
  readonly #world: RotationWorld
  readonly #namespace: string
  readonly name: string

  constructor(world: RotationWorld, name: string, namespace = 'shop') {
    this.#world = world
    this.name = name
    this.#namespace = namespace
  }

  get path(): string {
    return `${ROTATIONS}/namespaces/${this.#namespace}/secretrotations/${this.name}`
  }

  async read(): Promise<SecretRotation> {
    return (await this.#world.api.get(this.path)).body as unknown as SecretRotation
  }

  async create(object: { metadata: { name: string } }): Promise<void> {
    const collection = this.path.slice(0, this.path.lastIndexOf('/'))
    await this.#world.api.apply(object as Parameters<RotationWorld['api']['apply']>[0], collection)
  }

  async annotate(annotations: Readonly<Record<string, string | null>>): Promise<void> {
    this.#world.api.expectOk(
      await this.#world.api.mergePatch(this.path, { metadata: { annotations } }),
    )
  }

  async amend(spec: Readonly<Record<string, unknown>>): Promise<void> {
    this.#world.api.expectOk(await this.#world.api.mergePatch(this.path, { spec }))
  }

  rotateNow(token: string): Promise<void> {
    return this.annotate({ 'palisade.dev/rotate-now': token })
  }

  /** Resolves when a status satisfies the test; otherwise tells what it was instead. */
  async until(
    holds: (status: NonNullable<SecretRotation['status']>, rotation: SecretRotation) => boolean,
    evidence: () => string = () => '',
    limitMs = 60_000,
  ): Promise<SecretRotation> {
    const end = Date.now() + limitMs
    for (;;) {
      const rotation = await this.read()
      if (rotation.status && holds(rotation.status, rotation)) return rotation
      if (Date.now() > end) {
        throw new Error(`not reached: ${JSON.stringify(rotation.status, null, 1)}\n${evidence()}`)
      }
      await sleep(50)
    }
  }

  settled(version: number, evidence?: () => string): Promise<SecretRotation> {
    return this.until((status) => status.version === version && status.step === 'Idle', evidence)
  }

  reason(reason: string, evidence?: () => string): Promise<SecretRotation> {
    const has = (status: NonNullable<SecretRotation['status']>) =>
      status.conditions?.some((condition) => condition.reason === reason) === true
    return this.until(has, evidence)
  }

  async secret(): Promise<Readonly<Record<string, string>>> {
    const { spec } = await this.read()
    const path = `/api/v1/namespaces/${this.#namespace}/secrets/${spec.secret.name}`
    const data = ((await this.#world.api.get(path)).body['data'] ?? {}) as Record<string, string>
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    )
  }

  async state(): Promise<StateRecord> {
    const path = `palisade-state/data/test/${this.#namespace}/${this.name}`
    const { body } = await this.#world.bao.ask('GET', path)
    const { record } = (body['data'] as { data: { record: string } }).data
    return JSON.parse(record) as StateRecord
  }

  /** Who the session acts as, or the SQLSTATE of the refusal. */
  login(user: string, password: string): Promise<string | undefined> {
    return once<{ current_user: string }>(
      this.#world.db.as(user, password),
      'select current_user',
    ).then(
      ([row]) => row?.current_user,
      (error: { code?: string }) => error.code,
    )
  }
}
