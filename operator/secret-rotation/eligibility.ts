import type { RotationReason as ConditionReason } from '#api/v1alpha1/conditions'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { PostgresRoleSource } from '#api/v1alpha1/rotation-source'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { scheduleProblem } from './schedule.ts'

export interface Refusal {
  readonly reason: ConditionReason
  readonly message: string
}

/** What this version carries out: two alternating roles. */
export type AlternatingRoles = Omit<PostgresRoleSource, 'roles' | 'memberOf'> & {
  readonly roles: readonly [string, string]
  readonly memberOf: string
}

export function alternatingRoles(rotation: SecretRotation): AlternatingRoles | Refusal {
  const source = rotation.spec.source.postgresRole
  if (!source) {
    const kind = Object.keys(rotation.spec.source)[0] ?? 'none'
    return refuse(
      'NotSupported',
      `spec.source.${kind} is not carried out by this version; ${ANEW} with postgresRole`,
    )
  }
  const [first, second] = source.roles
  if (first === undefined || second === undefined || source.memberOf === undefined) {
    const message = `spec.source.postgresRole with one role is not carried out by this version; ${ANEW} with two roles and memberOf`
    return refuse('NotSupported', message)
  }
  return { ...source, roles: [first, second], memberOf: source.memberOf }
}

export const isRefusal = (answer: object): answer is Refusal => 'reason' in answer

/** The operator's own judgement. The backends refuse the same by themselves; this only says so earlier and better. */
export function refusalBySpec(rotation: SecretRotation): Refusal | undefined {
  // Passed over, it would rotate in the middle of the freeze that somebody relies on.
  if (rotation.spec.policyRef) return refuse('NotSupported', POLICY_REF)
  const problem = scheduleProblem(rotation.spec.schedule)
  return problem === undefined ? undefined : refuse('SpecUnusable', problem)
}

const POLICY_REF =
  'spec.policyRef is not carried out by this version, so no freeze would hold; take it out, and use spec.schedule.windows or spec.suspend'

/** A source cannot be edited, and a user or a backend is named there. */
const ANEW = 'delete this resource and make one'

export const backendNotFound = (name: string): Refusal =>
  refuse(
    'BackendNotFound',
    `RotationBackend "${name}" does not exist; the platform team makes it, or ${ANEW} that names another: kubectl get rotationbackends`,
  )

export function refusalByBackend(
  rotation: SecretRotation,
  roles: readonly string[],
  backend: RotationBackend,
  namespaceLabels: Readonly<Record<string, string>>,
): Refusal | undefined {
  const namespace = rotation.metadata.namespace ?? ''
  const { name } = backend.metadata
  if (backend.spec.kind !== 'Postgres') {
    return refuse(
      'SpecUnusable',
      `RotationBackend "${name}" is of kind ${backend.spec.kind}, not Postgres; ${ANEW} that names another: kubectl get rotationbackends`,
    )
  }
  if (!selects(backend.spec.allowedNamespaces, namespaceLabels)) {
    return refuse(
      'NamespaceNotAllowed',
      `RotationBackend "${name}" does not serve namespace "${namespace}"; the platform team labels the namespace or widens the selector: kubectl get rotationbackend ${name} -o jsonpath={.spec.allowedNamespaces}`,
    )
  }
  const outside = roles.find((role) => !fitsAny(backend.spec.names, role, namespace))
  if (outside !== undefined) {
    return refuse(
      'NameOutsidePattern',
      `role "${outside}" fits none of ${some(backend.spec.names)} for namespace "${namespace}"; ${ANEW} with users that do, or the platform team adds a pattern to spec.names of RotationBackend "${name}"`,
    )
  }
  return undefined
}

/** A message has to stay short enough to be read, and its next step comes last. */
const MOST_PATTERNS = 3
function some(patterns: readonly string[]): string {
  const more = patterns.length - MOST_PATTERNS
  const named = patterns.slice(0, MOST_PATTERNS).join(', ')
  return more > 0 ? `${named} and ${more} more` : named
}

const refuse = (reason: ConditionReason, message: string): Refusal => ({ reason, message })

/** `{namespace}` is the only variable; the separator after it is a character that no namespace contains. */
function fitsAny(patterns: readonly string[], name: string, namespace: string): boolean {
  return patterns.some((pattern) => {
    const wanted = pattern.replaceAll('{namespace}', namespace)
    return wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted
  })
}

type Selector = RotationBackend['spec']['allowedNamespaces']

function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  const all = Object.entries(selector.matchLabels ?? {})
  if (!all.every(([key, value]) => labels[key] === value)) return false
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key]
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
    }
  })
}
