import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { Sealed } from '#core/sealed'
import type {
  Consumer,
  ConsumerPod,
  DatabaseSession,
  RotatingDatabase,
  SessionsSeen,
} from '../../ports.ts'
import type { Observed } from '../observed.ts'
import type { InFlight, Issued, StateRecord } from '../state.ts'

/** All times of a case are told from here. */
export const NOON = new Date('2026-11-21T12:00:00Z')
/** `ago('59m')` and `ago('2h')`: an ISO time before noon. */
export const ago = (text: string): string => new Date(NOON.getTime() - toMs(text)).toISOString()

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }
const toMs = (text: string): number => Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? 0)

export interface Wish {
  readonly spec?: Partial<SecretRotation['spec']>
  readonly annotations?: Readonly<Record<string, string>>
  readonly state?: Partial<StateRecord>
  readonly flight?: Partial<InFlight>
  readonly seen?: Partial<Observed>
}

export const issued = (version: number, change: Partial<Issued> = {}): Issued => ({
  version,
  role: version % 2 === 1 ? 'shop_a' : 'shop_b',
  rotationId: `rotation-${version}`,
  storeVersion: version + 1,
  issuedAt: ago('1h'),
  ...change,
})

/** A resource at rest with version 1, unless the case says otherwise. */
export function observed(wish: Wish = {}): Observed {
  const rotation: SecretRotation = {
    apiVersion: 'palisade.dev/v1alpha1',
    kind: 'SecretRotation',
    metadata: {
      name: 'orders',
      namespace: 'shop',
      uid: 'uid-1',
      generation: 1,
      ...(wish.annotations ? { annotations: wish.annotations } : {}),
    },
    spec: { ...SPEC, ...wish.spec },
  }
  const state: StateRecord = {
    format: 1,
    owner: { cluster: 'c', namespace: 'shop', name: 'orders', uid: 'uid-1' },
    seq: 10,
    fences: {},
    claim: {
      backend: 'main',
      roles: ['shop_a', 'shop_b'],
      memberOf: 'shop',
      database: 'shop',
      storePath: 'orders/db',
      secretName: 'orders-db',
    },
    rotation: null,
    current: issued(1),
    previous: null,
    secretSeq: 9,
    lastRotationTime: ago('1h'),
    outbox: [],
    ...(wish.flight ? moving(wish.flight) : {}),
    ...wish.state,
  }
  return {
    rotation,
    source: { connectionRef: { name: 'main' }, roles: ['shop_a', 'shop_b'], memberOf: 'shop' },
    state: { value: state, cas: 3 },
    value: { value: valueOf(state.current), cas: 3 },
    previousValue: state.previous ? valueOf(state.previous) : undefined,
    database: {} as RotatingDatabase,
    address: { host: 'db', port: 5432, database: 'shop' },
    consumers: [],
    sessions: state.rotation?.step === 'converge' ? connected() : undefined,
    refusals: undefined,
    currentLogin: undefined,
    preflight: [],
    turn: { ahead: 0, limit: 4 },
    ...wish.seen,
  }
}

/** Version 2 was published five minutes ago and version 1 still works. */
function moving(flight: Partial<InFlight>) {
  const rotation: InFlight = {
    id: 'rotation-2',
    version: 2,
    role: 'shop_b',
    reason: 'PeriodHasEnded',
    step: 'converge',
    startedAt: ago('6m'),
    specDigest: 'digest',
    publishedAt: ago('5m'),
    ...flight,
  }
  return { rotation, current: issued(2), previous: issued(1) }
}

const valueOf = (of: Issued | null) => ({
  owner: 'c/shop/orders/uid-1',
  released: false,
  ...(of
    ? {
        issue: {
          rotationId: of.rotationId,
          seq: 5,
          version: of.version,
          fields: Sealed.of({ username: of.role, password: 'old' }),
        },
      }
    : {}),
})

const SPEC: SecretRotation['spec'] = {
  source: {
    postgresRole: {
      connectionRef: { name: 'main' },
      roles: ['shop_a', 'shop_b'],
      memberOf: 'shop',
    },
  },
  store: { path: 'orders/db' },
  secret: { name: 'orders-db', previous: 'Omit', template: { type: 'Opaque' } },
  schedule: { every: '720h', timeZone: 'UTC', jitter: '0s' },
  overlap: { min: '10m', max: '24h', quiet: '2m', onMax: 'Hold' },
  consumers: {
    discover: 'ByReference',
    restart: { maxConcurrent: 1, timeout: '10m', coalesce: '30s' },
  },
  suspend: false,
  deletionPolicy: 'Retain',
}

export const pod = (name: string, change: Partial<ConsumerPod> = {}): ConsumerPod => ({
  name,
  version: '2',
  createdAt: ago('4m'),
  readySince: ago('3m'),
  notReadySince: undefined,
  acknowledged: undefined,
  terminating: false,
  trouble: undefined,
  ...change,
})

export const deployment = (name: string, change: Partial<Consumer> = {}): Consumer => ({
  kind: 'Deployment',
  name,
  resourceVersion: '7',
  minReadySeconds: 0,
  templateVersion: '2',
  annotations: {},
  pods: [pod(`${name}-1`)],
  ...change,
})

/** On all instances, each of which has answered. */
export const connected = (...sessions: DatabaseSession[]): SessionsSeen => ({
  sessions,
  silent: [],
})

export const session = (address: string, application = 'app') => ({
  pid: 1,
  address,
  application,
  since: ago('1h'),
})
