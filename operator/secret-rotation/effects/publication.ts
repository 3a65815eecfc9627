import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type { DatabaseAddress, Deps, SecretToApply, StoredValue } from '../../ports.ts'
import type { Observed } from '../observed.ts'
import { ownerText, type StateRecord } from '../state.ts'
import { staleFence } from './credential.ts'
import { effect } from './effect.ts'
import { flightOf, flightWith, record, type Outcome } from './record.ts'

type Fields = Readonly<Record<string, string>>

/** What a consumer needs to log in, under the names that most charts look for. */
function fieldsFor(username: string, password: string, at: DatabaseAddress): Sealed<Fields> {
  const { host, port, database } = at
  return Sealed.of({
    username,
    password,
    host,
    port: String(port),
    dbname: database,
    uri: `postgresql://${username}:${password}@${host}:${port}/${database}?sslmode=verify-full`,
  })
}

/** The value becomes readable: tested before, and by compare-and-set on what was read before the record. */
export async function publishValue(
  deps: Deps,
  seen: Observed,
  signal: AbortSignal,
): Promise<Outcome> {
  const { value: state } = seen.state
  const flight = flightOf(state)
  const published =
    seen.value.value.issue?.rotationId === flight.id &&
    seen.value.value.issue.version === flight.version
  const storeVersion = published ? seen.value.cas : await writeValue(deps, seen, signal)
  if (storeVersion === undefined) return { kind: 'stale' }
  const { pending: _published, ...rest } = flight
  const current = {
    version: flight.version,
    role: flight.role,
    rotationId: flight.id,
    storeVersion,
    issuedAt: deps.clock.now().toISOString(),
  }
  return record(
    deps,
    seen.state,
    {
      current,
      previous: state.current,
      rotation: { ...rest, step: 'publishSecret' },
      secretSeq: state.seq + 1,
    },
    { action: 'rotation.publish', details: { version: flight.version, role: flight.role } },
    signal,
  )
}

async function writeValue(
  deps: Deps,
  seen: Observed,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { value: state } = seen.state
  const flight = flightOf(state)
  const value: StoredValue = {
    owner: ownerText(state.owner),
    released: false,
    issue: {
      rotationId: flight.id,
      seq: state.seq,
      version: flight.version,
      fields: fieldsFor(flight.role, flight.pending ?? '', seen.address),
    },
  }
  const { namespace } = state.owner
  const { storePath } = state.claim
  const written = await effect(deps, 'publishValue', () =>
    deps.values.write(namespace, storePath, value, seen.value.cas, signal),
  )
  return written.kind === 'written' ? written.cas : undefined
}

export async function publishSecret(
  deps: Deps,
  seen: Observed,
  signal: AbortSignal,
): Promise<Outcome> {
  const publishedAt = await applySecret(deps, seen, seen.state.value.secretSeq, signal)
  const rotation = flightWith(seen.state.value, { step: 'converge', publishedAt })
  const lastRotationTime = deps.clock.now().toISOString()
  return record(deps, seen.state, { rotation, lastRotationTime }, undefined, signal)
}

/** Applied again on every pass: the store holds the truth, and an unchanged Secret is not written. */
export async function applySecret(
  deps: Deps,
  seen: Observed,
  seq: number,
  signal: AbortSignal,
): Promise<string> {
  const secret = secretFor(
    seen.rotation,
    seen.state.value,
    seen.value.value,
    seen.previousValue,
    seq,
  )
  if (!secret) {
    throw new PalisadeError('ERR_STORE_REFUSED', 'the published value is missing from the store', {
      remedy: 'restore it, or set palisade.dev/leaked to issue a new one',
    })
  }
  const outcome = await effect(deps, 'applySecret', () => deps.secrets.apply(secret, signal))
  if (outcome.kind === 'applied') return outcome.at
  const detail = `Secret "${secret.name}" was refused: ${outcome.message}`
  switch (outcome.kind) {
    case 'stale':
      throw await newerThanRecord(seen, secret, detail)
    case 'invalid':
      throw new PalisadeError('ERR_SECRET_INVALID', detail)
    case 'refused':
      throw new PalisadeError('ERR_SECRET_NOT_OURS', detail)
  }
}

/** Where the database is ahead of the record too, one of them was restored, and its own refusal says what to do. */
async function newerThanRecord(
  { database, state: { value: state } }: Observed,
  { namespace, name }: SecretToApply,
  detail: string,
): Promise<PalisadeError> {
  const standing = await database.standing(state.claim.roles[0])
  for (const role of state.claim.roles) {
    const standsAt = standing?.seqs[role]
    if (standsAt !== undefined && standsAt !== (state.fences[role] ?? 0))
      return staleFence(standsAt, role, state)
  }
  const remedy = `if no other operator writes it: kubectl -n ${namespace} delete secret ${name}; it comes back from the store`
  return new PalisadeError('ERR_STALE_FENCE', detail, { remedy })
}

function secretFor(
  rotation: SecretRotation,
  state: StateRecord,
  value: StoredValue,
  previous: StoredValue | undefined,
  seq: number,
): SecretToApply | undefined {
  if (!value.issue || !state.current) return undefined
  const { secret } = rotation.spec
  const fields = rendered(secret.template.data, value.issue.fields)
  const withPrevious = secret.previous === 'Include' && previous?.issue
  const old = withPrevious ? rendered(secret.template.data, withPrevious.fields) : {}
  const prefixed = Object.entries(old).map(([key, text]) => [`previous-${key}`, text])
  return {
    namespace: state.owner.namespace,
    name: secret.name,
    rotation: state.owner.name,
    seq,
    version: state.current.version,
    type: secret.template.type,
    labels: secret.template.labels ?? {},
    annotations: secret.template.annotations ?? {},
    fields: Sealed.of({ ...(Object.fromEntries(prefixed) as Fields), ...fields }),
  }
}

function rendered(template: Fields | undefined, sealed: Sealed<Fields>): Fields {
  const fields = sealed.reveal()
  if (!template) return fields
  const fill = (text: string) =>
    text.replace(/\{\{\s*([a-z]+)\s*\}\}/g, (whole, name: string) => fields[name] ?? whole)
  return Object.fromEntries(Object.entries(template).map(([key, text]) => [key, fill(text)]))
}
