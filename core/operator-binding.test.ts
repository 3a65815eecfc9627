import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { NAMESPACES } from '../infra/names.ts'
import { bindingCommand, operatorBinding } from './operator-binding.ts'

const RBAC = readFileSync(
  new URL('../charts/palisade/templates/operator/rbac.yaml', import.meta.url),
  'utf8',
)

describe('operatorBinding', () => {
  const { roleRef, subjects } = operatorBinding('shop')

  it('gives what the chart makes for this to an account of the namespace of the platform', () => {
    expect(RBAC).toContain(`kind: ClusterRole\nmetadata:\n  name: ${roleRef.name}\n`)
    expect(RBAC).toContain(`kind: ServiceAccount\nmetadata:\n  name: ${subjects[0]?.name}\n`)
    expect(subjects).toMatchObject([{ namespace: NAMESPACES.system }])
  })

  it('is made by the command as well', () => {
    expect(bindingCommand('shop')).toBe(
      'kubectl -n shop create rolebinding palisade --clusterrole=palisade-namespace --serviceaccount=palisade-system:operator',
    )
  })
})
