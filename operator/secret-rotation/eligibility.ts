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
      `spec.source.${kind} is not carried out by this version; use postgresRole`,
    )
  }
  const [first, second] = source.roles
  if (first === undefined || second === undefined || source.memberOf === undefined) {
    return refuse('NotSupported', 'spec.source.postgresRole.roles: name two roles and memberOf')
  }
  return { ...source, roles: [first, second], memberOf: source.memberOf }
}

export const isRefusal = (answer: object): answer is Refusal => 'reason' in answer

/** The operator's own judgement. The backends refuse the same by themselves; this only says so earlier and better. */
export function refusalBySpec(rotation: SecretRotation): Refusal | undefined {
  const problem = scheduleProblem(rotation.spec.schedule)
  return problem === undefined ? undefined : refuse('SpecUnusable', problem)
}

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
      `RotationBackend "${name}" is of kind ${backend.spec.kind}, not Postgres`,
    )
  }
  if (!selects(backend.spec.allowedNamespaces, namespaceLabels)) {
    return refuse(
      'NamespaceNotAllowed',
      `RotationBackend "${name}" does not serve namespace "${namespace}"`,
    )
  }
  const outside = roles.find((role) => !fitsAny(backend.spec.names, role, namespace))
  if (outside !== undefined) {
    const patterns = backend.spec.names.join(', ')
    return refuse('NameOutsidePattern', `role "${outside}" fits none of ${patterns}`)
  }
  return undefined
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
