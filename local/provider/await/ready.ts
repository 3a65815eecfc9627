import { LocalError } from '../../errors.ts'
import type { ProviderContext } from '../context.ts'
import { InitFailed } from '../init-failed.ts'
import {
  annotation,
  apiVersionOf,
  describeKey,
  groupOf,
  keyOf,
  kindOf,
  SKIP_AWAIT,
  TIMEOUT_SECONDS,
  WAIT_FOR,
} from '../kubernetes/object.ts'
import { pauseFor } from '../pause.ts'
import type { JsonMap } from '../values.ts'
import { condition, parseWaitFor } from './conditions.ts'
import { ingress, service } from './networking.ts'
import { podProblems } from './pods.ts'
import type { Check } from './readiness.ts'
import { persistentVolumeClaim } from './storage.ts'
import { daemonSet, deployment, job, pod, statefulSet } from './workloads.ts'

const CHECKS: Readonly<Record<string, Check>> = {
  'apps/Deployment': deployment,
  'apps/StatefulSet': statefulSet,
  'apps/DaemonSet': daemonSet,
  'batch/Job': job,
  '/Pod': pod,
  '/Service': service,
  '/PersistentVolumeClaim': persistentVolumeClaim,
  'networking.k8s.io/Ingress': ingress,
  'apiextensions.k8s.io/CustomResourceDefinition': condition('Established'),
  'apiregistration.k8s.io/APIService': condition('Available'),
  'postgresql.cnpg.io/Cluster': condition('Ready'),
  'cert-manager.io/Certificate': condition('Ready'),
  'cert-manager.io/Issuer': condition('Ready'),
  'cert-manager.io/ClusterIssuer': condition('Ready'),
}

const DEFAULT_TIMEOUT_SECONDS = 600

/** Whatever comes next waits for as long as a look is late. */
const LONGEST_PAUSE_MS = 500
/** What pods say of themselves is for whoever reads along. */
const ASK_PODS_EVERY_MS = 2_000

export function checkFor(object: JsonMap): Check | undefined {
  const wish = annotation(object, WAIT_FOR)
  if (wish !== undefined) return parseWaitFor(wish)
  return CHECKS[`${groupOf(apiVersionOf(object))}/${kindOf(object)}`]
}

export interface Watch {
  readonly urn: string
  /** From the program's customTimeouts; 0 leaves it to the annotation or the default. */
  readonly timeoutSeconds: number
}

/** Looks until the object is ready and returns it as it then is. A failure keeps the object in the engine's state. */
export async function awaitReady(
  made: JsonMap,
  watch: Watch,
  context: ProviderContext,
  record: (live: JsonMap) => { id: string; state: JsonMap },
): Promise<JsonMap> {
  const check = checkFor(made)
  if (!check || annotation(made, SKIP_AWAIT) === 'true') return made
  let seen = made
  try {
    return await look(made, check, watch, context, (live) => (seen = live))
  } catch (error) {
    // Whatever ended the wait, the object is there: unrecorded it would be an orphan.
    const reason = error instanceof LocalError ? `${error.code}: ${error.message}` : String(error)
    throw new InitFailed(record(seen), [reason])
  }
}

async function look(
  made: JsonMap,
  check: Check,
  watch: Watch,
  context: ProviderContext,
  keep: (live: JsonMap) => void,
): Promise<JsonMap> {
  const { api, log } = context
  const key = keyOf(made)
  const seconds =
    watch.timeoutSeconds || Number(annotation(made, TIMEOUT_SECONDS)) || DEFAULT_TIMEOUT_SECONDS
  const end = Date.now() + seconds * 1000
  let live = made
  let told = ''
  let asked = 0
  let problems: string[] = []
  for (let pause = 200; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const seen = await check(live, api)
    if (seen.state === 'ready') return live
    const hasFailed = seen.state === 'failed' || Date.now() > end
    if (hasFailed || Date.now() - asked > ASK_PODS_EVERY_MS) {
      problems = await podProblems(live, api)
      asked = Date.now()
    }
    if (hasFailed) {
      const late = seen.state === 'failed' ? 'failed' : `is not ready after ${seconds} s`
      throw notReady(`${describeKey(key)} ${late}: ${[seen.message, ...problems].join('; ')}`)
    }
    const message = [seen.message, ...problems.slice(0, 1)].join('; ')
    if (message !== told) log.progress(watch.urn, `waiting: ${message}`)
    told = message
    await pauseFor(pause, api.signal)
    const next = await api.find(key)
    if (!next) throw notReady(`${describeKey(key)} was deleted while it started`)
    live = next
    keep(live)
  }
}

const notReady = (detail: string): LocalError =>
  new LocalError('ERR_NOT_READY', detail, 'correct what is named and run up again')
