import { LocalError } from '../../errors.ts'
import type { ProviderContext } from '../context.ts'
import { pauseFor } from '../pause.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import {
  annotation,
  describeKey,
  parseId,
  parseType,
  PROPAGATION,
  SKIP_AWAIT,
  TIMEOUT_SECONDS,
  typeOfUrn,
  conditionOf,
  type ObjectKey,
} from '../kubernetes/object.ts'
import { at, isMap, text, type JsonMap } from '../values.ts'

const POLICIES: Readonly<Record<string, string>> = {
  orphan: 'Orphan',
  background: 'Background',
  foreground: 'Foreground',
}
const DEFAULT_TIMEOUT_SECONDS = 600
/** What it needed goes only after it. */
const LONGEST_PAUSE_MS = 500

/** Why an object that was asked to go is still there. */
function holding(live: JsonMap): string {
  const finalizers = at(live, ['metadata', 'finalizers'])
  const names = Array.isArray(finalizers) ? finalizers.filter((one) => typeof one === 'string') : []
  if (names.length > 0) return `finalizers ${names.join(', ')}`
  for (const type of [
    'NamespaceContentRemaining',
    'NamespaceFinalizersRemaining',
    'NamespaceDeletionContentFailure',
  ]) {
    const condition = conditionOf(live, type)
    if (condition?.status === 'True') return condition.message
  }
  return 'its dependents or a grace period'
}

async function untilGone(
  key: ObjectKey,
  uid: string | undefined,
  watch: { urn: string; timeoutSeconds: number },
  context: ProviderContext,
): Promise<void> {
  const start = Date.now()
  let told = ''
  for (let pause = 100; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const live = await context.api.find(key)
    if (!live || (uid !== undefined && text(at(live, ['metadata', 'uid'])) !== uid)) return
    const reason = holding(live)
    if (Date.now() - start > watch.timeoutSeconds * 1000) {
      throw new LocalError(
        'ERR_DELETE_TIMEOUT',
        `${describeKey(key)} is still there after ${watch.timeoutSeconds} s: held by ${reason}`,
        'let the controller behind it finish, or remove the finalizer once its work is done by hand',
      )
    }
    if (reason !== told && Date.now() - start > 1000) {
      context.log.progress(
        watch.urn,
        `waiting for the end of ${describeKey(key)}: held by ${reason}`,
      )
      told = reason
    }
    await pauseFor(pause, context.api.signal)
    context.api.signal.throwIfAborted()
  }
}

export async function remove(
  urn: string,
  id: string,
  state: JsonMap,
  timeoutSeconds: number,
  context: ProviderContext,
): Promise<void> {
  const typed = parseType(typeOfUrn(urn)) ?? { apiVersion: '', kind: '' }
  const apiVersion = text(state.apiVersion) ?? typed.apiVersion
  const kind = text(state.kind) ?? typed.kind
  const key = { apiVersion, kind, ...parseId(id) }
  // When the definition is gone, so are its objects.
  if (!(await context.api.discovery.find(apiVersion, kind))) return
  const declared = isMap(state.__inputs) ? state.__inputs : state
  const policy = POLICIES[(annotation(declared, PROPAGATION) ?? 'foreground').toLowerCase()]
  if (!policy) {
    throw new LocalError(
      'ERR_ANNOTATION',
      `${describeKey(key)}: ${PROPAGATION} must be one of ${Object.keys(POLICIES).join(', ')}`,
      'correct the annotation and run up before destroying',
    )
  }
  const uid = text(at(await context.api.find(key), ['metadata', 'uid']))
  if (uid === undefined) return
  try {
    // By uid: a namesake made in the meantime belongs to someone else.
    await context.api.remove(key, policy, uid)
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return
    throw error
  }
  if (annotation(declared, SKIP_AWAIT) === 'true') return
  const wish =
    timeoutSeconds || Number(annotation(declared, TIMEOUT_SECONDS)) || DEFAULT_TIMEOUT_SECONDS
  await untilGone(key, uid, { urn, timeoutSeconds: wish }, context)
}
