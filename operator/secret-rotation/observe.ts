import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type { Deps, RefusalsSeen, StoredValue } from '../ports.ts'
import type { Claim } from './claim.ts'
import type { Claimant } from './claimant.ts'
import { tryCurrentLogin } from './current-login.ts'
import {
  alternatingRoles,
  backendNotFound,
  isRefusal,
  refusalBySpec,
  type Refusal,
} from './eligibility.ts'
import type { Observed } from './observed.ts'
import type { StateRecord } from './state.ts'

/** Who asks and whom: settled before anything of the resource itself is read. */
export async function findBackend(
  rotation: SecretRotation,
  deps: Deps,
  signal: AbortSignal,
): Promise<Claimant | Refusal> {
  const source = alternatingRoles(rotation)
  if (isRefusal(source)) return source
  const unusable = refusalBySpec(rotation)
  if (unusable) return unusable
  const { name } = source.connectionRef
  const backend = await deps.backends.find(name, signal)
  if (!backend) return backendNotFound(name)
  const namespace = await deps.backends.namespaceLabels(rotation.metadata.namespace ?? '', signal)
  const refusal = deps.eligibility.refusal(rotation, source.roles, backend, namespace?.labels ?? {})
  if (refusal) return refusal
  const address = addressOf(backend, source.database)
  return { rotation, source, backend, address, database: deps.databaseOf(backend) }
}

const addressOf = ({ spec }: RotationBackend, database: string | undefined) => ({
  host: spec.endpoint.host,
  port: spec.endpoint.port,
  database: database ?? spec.endpoint.database ?? '',
})

/** Every further read of a pass is here, its turn excepted. What the running step does not need is not asked for. */
export async function observe(
  by: Claimant,
  held: Extract<Claim, { kind: 'held' }>,
  deps: Deps,
  signal: AbortSignal,
): Promise<Omit<Observed, 'turn'>> {
  const state = held.state.value
  const step = state.rotation?.step
  const moving = step === 'converge' || step === 'watch'
  return {
    ...by,
    state: held.state,
    value: held.value,
    previousValue: await readPrevious(state, deps, signal),
    consumers: moving ? await findConsumers(by.rotation, deps, signal) : [],
    sessions:
      step === 'converge' && state.previous
        ? await by.database.sessions(state.previous.role)
        : undefined,
    refusals: await lookForRefusals(by, state, deps, signal),
    currentLogin:
      state.rotation || !deps.shouldTryLogin(held.value.value.issue?.rotationId ?? '')
        ? undefined
        : await tryCurrentLogin(by, held.value.value),
    preflight: state.rotation
      ? []
      : await by.database.preflight(state.claim.roles, state.claim.memberOf),
  }
}

/** Who holds the previous value after all shows in a refusal, and a server tells of those in its log alone. */
async function lookForRefusals(
  { backend }: Claimant,
  { rotation, previous }: StateRecord,
  deps: Deps,
  signal: AbortSignal,
): Promise<RefusalsSeen | undefined> {
  const since = rotation?.shutOutAt
  if (rotation?.step !== 'watch' || !previous || since === undefined) return undefined
  return deps.refusedLogins.of(backend, previous.role, new Date(since), signal)
}

function findConsumers(rotation: SecretRotation, deps: Deps, signal: AbortSignal) {
  const { discover, extra = [] } = rotation.spec.consumers
  return deps.consumers.find(
    {
      namespace: rotation.metadata.namespace ?? '',
      secret: rotation.spec.secret.name,
      discover: discover === 'ByReference',
      extra,
    },
    signal,
  )
}

async function readPrevious(
  state: StateRecord,
  deps: Deps,
  signal: AbortSignal,
): Promise<StoredValue | undefined> {
  if (!state.previous) return undefined
  const { namespace } = state.owner
  const read = await deps.values.read(
    namespace,
    state.claim.storePath,
    signal,
    state.previous.storeVersion,
  )
  return read?.value
}
