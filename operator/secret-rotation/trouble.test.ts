import { describe, expect, it } from 'vitest'
import { bindingCommand } from '#core/operator-binding'
import { ApiError } from '../runtime/api-error.ts'
import { observed } from './testkit/observed.ts'
import { troubleOf } from './trouble.ts'

const { rotation } = observed()

describe('troubleOf', () => {
  it('stalls a rotation whose namespace took the operator its rights, and says who gives them', () => {
    const words =
      'pods is forbidden: User "system:serviceaccount:palisade-system:operator" cannot list resource "pods" in API group "" in the namespace "shop"'
    const standing = troubleOf(new ApiError(403, 'Forbidden', words), rotation)
    expect(standing).toMatchObject({ stalled: true, reason: 'NamespaceNotEnabled' })
    expect(standing?.message).toContain(words)
    expect(standing?.message).toContain(bindingCommand('shop'))
  })

  it.each([
    'secrets "orders-db" is forbidden: exceeded quota: few, requested: count/secrets=1',
    'secrets "orders-db" is forbidden: unable to create new content in namespace shop because it is being terminated',
    'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "other"',
  ])('asks for no right where it is not one that is missing: %s', (words) => {
    const standing = troubleOf(new ApiError(403, 'Forbidden', words), rotation)
    expect(standing).toMatchObject({ stalled: true, reason: 'BackendRefused' })
    expect(standing?.message).toContain(words)
    expect(standing?.message).not.toContain('rolebinding')
  })

  it('says nothing of an answer that the next pass may not get again', () => {
    expect(troubleOf(new ApiError(500, 'InternalError', 'etcd'), rotation)).toBeUndefined()
  })
})
