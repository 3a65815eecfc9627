import { createHash } from 'node:crypto'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type { StateRecord } from '../../operator/secret-rotation/state.ts'
import { applyAll, kubectl, kubectlJson } from './cluster.ts'
import { psql } from './database.ts'
import { askToRotate, type Credential, published, untilIdle, untilRotated } from './rotate.ts'
import { openGround } from './team-ground.ts'
import { consumerOf, namesOf, rotationOf, type TeamNames } from './team-objects.ts'
import type { Vault } from './vault.ts'

const SYSTEM = ['-n', 'palisade-system'] as const
const WITHIN_MS = 90_000

/** A rotation as everybody sees it who has a part in it; values are digests. */
export interface TeamWorld {
  readonly status: Readonly<Record<'version' | 'user' | 'step' | 'ready', unknown>>
  /** Number of the last record. */
  readonly seq: number
  readonly inFlight: boolean
  /** Newest version in the secret store, and those that are not destroyed. */
  readonly stored: number
  readonly kept: readonly number[]
  readonly secret: { readonly seq: string; readonly digest: string }
  /** How often the template of the consumer was changed. */
  readonly revision: number
  /** Of each user: its fence, whether it may log in, and its verifier. */
  readonly users: readonly (readonly string[])[]
}

/** A team of its own on the platform: a namespace, a pair of users, one rotation and a real consumer. */
export class RotatingTeam {
  readonly names: TeamNames
  readonly #vault: Vault
  readonly #operator: Operator
  readonly #tokens: Promise<readonly [operator: string, namespace: string]>

  private constructor(names: TeamNames, vault: Vault, operator: Operator) {
    this.names = names
    this.#vault = vault
    this.#operator = operator
    this.#tokens = Promise.all([
      vault.loginAs('operator', 'palisade-operator'),
      vault.loginAs('operator', `palisade-ns-${names.namespace}`),
    ])
  }

  /** With its first value published, which nobody reads yet. */
  static async open(team: string, vault: Vault): Promise<RotatingTeam> {
    const names = namesOf(team)
    const [operator] = await Promise.all([operatorOf(), openGround(names, vault)])
    await applyAll([rotationOf(names)])
    await untilIdle(names.namespace, names.rotation, WITHIN_MS)
    return new RotatingTeam(names, vault, operator)
  }

  /** Starts the consumer and waits until it has logged in. */
  async employ(): Promise<void> {
    const { namespace, consumer } = this.names
    await applyAll([consumerOf(this.names, this.#operator.image)])
    await kubectl('rollout', 'status', `deploy/${consumer}`, '-n', namespace, '--timeout=90s')
  }

  credential(): Promise<Credential> {
    return published(this.names.namespace, this.names.secret)
  }

  askToRotate(): Promise<string> {
    return askToRotate(this.names.namespace, this.names.rotation)
  }

  /** @param token the wish that has to be done with */
  async untilRotated(token: string): Promise<void> {
    await untilRotated(this.names.namespace, this.names.rotation, token, WITHIN_MS)
  }

  async world(): Promise<TeamWorld> {
    const [inCluster, store, record, users] = await Promise.all([
      this.#inCluster(),
      this.#inStore(),
      this.record(),
      psql(`select r.role, r.seq, a.rolcanlogin, coalesce(md5(a.rolpassword), 'none')
        from palisade_fence.pair_roles r join pg_authid a on a.rolname = r.role
        where r.role::text like '${this.names.pair}%' order by r.role`),
    ])
    return { ...inCluster, ...store, seq: record.seq, inFlight: record.rotation !== null, users }
  }

  async record(): Promise<StateRecord> {
    const [token] = await this.#tokens
    const path = `${this.#operator.cluster}/${this.names.namespace}/${this.names.rotation}`
    const found = await this.#vault.call(token, 'GET', `palisade-state/data/${path}`)
    return JSON.parse((found?.['data'] as { record: string }).record) as StateRecord
  }

  /** Names of what is published, which are none when there is a tombstone alone. */
  async publishedFields(): Promise<readonly string[]> {
    const [, token] = await this.#tokens
    const { namespace, path } = this.names
    const found = await this.#vault.call(token, 'GET', `apps/data/${namespace}/${path}`)
    return Object.keys(found?.['data'] ?? {}).filter((key) => !/^palisade_/.test(key))
  }

  async #inStore(): Promise<Pick<TeamWorld, 'stored' | 'kept'>> {
    const [, token] = await this.#tokens
    const { namespace, path } = this.names
    const found = await this.#vault.call(token, 'GET', `apps/metadata/${namespace}/${path}`)
    const versions = (found?.['versions'] ?? {}) as Record<string, { destroyed: boolean }>
    const kept = Object.keys(versions).filter((version) => !versions[version]?.destroyed)
    return { stored: Number(found?.['current_version']), kept: kept.map(Number) }
  }

  async #inCluster(): Promise<Pick<TeamWorld, 'status' | 'secret' | 'revision'>> {
    const { namespace, rotation, secret, consumer } = this.names
    const wanted = [`srot/${rotation}`, `secret/${secret}`, `deploy/${consumer}`]
    const { items } = await kubectlJson<{ items: readonly [SecretRotation, Stored, Stored] }>(
      ...['get', '-n', namespace, ...wanted],
    )
    const [{ status }, { data, metadata }, deployment] = items
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')
    return {
      status: {
        ...{ version: status?.version, user: status?.user, step: status?.step },
        ready: `${ready?.status} ${ready?.reason}`,
      },
      secret: {
        seq: metadata.annotations['palisade.dev/seq'] ?? '',
        digest: createHash('sha256').update(JSON.stringify(data)).digest('hex'),
      },
      revision: Number(deployment.metadata.annotations['deployment.kubernetes.io/revision']),
    }
  }
}

interface Stored {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> }
  readonly data?: Readonly<Record<string, string>>
}

interface Operator {
  readonly image: string
  readonly cluster: string
}

async function operatorOf(): Promise<Operator> {
  const path = '{.spec.template.spec.containers[0]'
  const wanted = `${path}.image} ${path}.env[?(@.name=="PALISADE_CLUSTER_ID")].value}`
  const text = await kubectl('get', 'deploy', 'operator', ...SYSTEM, '-o', `jsonpath=${wanted}`)
  const [image = '', cluster = ''] = text.split(' ')
  return { image, cluster }
}
